// Reads one file of abi/ into a Subject. One extension per family of entries; references between
// entries are checked later, when all files are read.

import Yams

/// The reader of one file.
struct SubjectReader {
  let file: String
  let sink: DiagnosticSink
  /// What entries fall back to.
  var defaultSource = ""
  var defaultSince = ""

  static let keys = [
    "subject", "title", "doc", "source", "since", "when", "include", "topics", "constants",
    "types", "structures", "hypercalls", "rings", "notes", "keys", "states", "protocols",
    "deprecated", "own",
  ]

  static func read(_ text: String, file: String, into sink: DiagnosticSink) -> Subject? {
    guard let root = YAMLText.parse(text, file: file, into: sink) else { return nil }
    var reader = SubjectReader(file: file, sink: sink)
    return reader.subject(root)
  }

  private mutating func subject(_ root: Node) -> Subject? {
    guard let map = mapping(root, "a subject", Self.keys) else { return nil }
    defaultSource = map.string("source") ?? "public/"
    defaultSince = map.string("since") ?? "3.0"
    guard let name = map.string("subject", required: true),
      let doc = map.string("doc", required: true)
    else { return nil }
    let stem = file.split(separator: "/").last.map(String.init) ?? file
    if stem != name + ".yaml" {
      sink.error(
        map.position(of: "subject"),
        "expected the subject to be named as its file, found `\(name)`",
        hint: "rename the file to \(name).yaml or the subject to \(stem.dropLast(5))")
    }
    if !name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }) {
      sink.error(
        map.position(of: "subject"),
        "expected a name of letters, digits and hyphens, found `\(name.excerpt)`")
      return nil
    }
    var subject = Subject(
      entry: Entry(
        name: name, doc: doc, source: defaultSource, since: defaultSince, when: map.string("when"),
        deprecated: map.string("deprecated"), isOwn: map.boolean("own"),
        position: map.position(of: "subject")),
      title: map.string("title", required: true) ?? name, file: file,
      includes: map.strings("include"))
    subject.topics = map.list("topics").compactMap(topic)
    subject.constants = map.list("constants").compactMap(group)
    subject.types = map.list("types").compactMap(scalar)
    subject.structures = map.list("structures").compactMap(structure)
    subject.hypercalls = map.list("hypercalls").compactMap(hypercall)
    subject.rings = map.list("rings").compactMap(ring)
    subject.notes = map.list("notes").compactMap(note)
    subject.keys = map.list("keys").compactMap(key)
    subject.states = map.list("states").compactMap(state)
    subject.protocols = map.list("protocols").compactMap(reference)
    return subject
  }

  func mapping(_ node: Node, _ what: String, _ keys: [String]) -> MapReader? {
    MapReader(node, what: what, keys: keys, file: file, sink: sink)
  }

  /// The keys that ``entry(_:nameKey:needsDoc:)`` reads, besides the one with the name.
  static let entryKeys = ["doc", "source", "since", "when", "deprecated", "own"]

  /// What all entries carry; a diagnostic and `nil` without a name or a description.
  func entry(
    _ map: MapReader, nameKey: String = "name", needsDoc: Bool = true, freeName: Bool = false
  ) -> Entry? {
    let name =
      freeName
      ? map.string(nameKey, required: true) : map.identifier(nameKey, required: true)
    let doc = map.string("doc", required: needsDoc)
    guard let name, doc != nil || !needsDoc else { return nil }
    return Entry(
      name: name, doc: doc ?? "", source: map.string("source") ?? defaultSource,
      since: map.string("since") ?? defaultSince, when: map.string("when"),
      deprecated: map.string("deprecated"), isOwn: map.boolean("own"),
      position: map.position(of: nameKey))
  }

  /// The type under `key`; a diagnostic where it cannot be read.
  func type(_ map: MapReader, _ key: String = "type", required: Bool = true) -> TypeReference? {
    guard let text = map.string(key, required: required) else { return nil }
    do {
      return try TypeParser.parse(text)
    } catch {
      sink.error(
        map.position(of: key), "expected a type, found `\(error.found.excerpt)`",
        hint: "u8 … u64, i8 … i64, u64a, char, long, ulong, ptr, handle<T>, T[N] or a defined name")
      return nil
    }
  }

  private func topic(_ node: Node) -> Topic? {
    guard let map = mapping(node, "a topic", ["name", "title", "doc"]) else { return nil }
    guard let name = map.string("name", required: true),
      let title = map.string("title", required: true), let doc = map.string("doc", required: true)
    else { return nil }
    return Topic(name: name, title: title, doc: doc, position: map.position(of: "name"))
  }

  private func scalar(_ node: Node) -> ScalarType? {
    guard let map = mapping(node, "a type", ["name", "type", "cName"] + Self.entryKeys),
      let entry = entry(map), let type = type(map)
    else { return nil }
    return ScalarType(entry: entry, type: type, cName: map.identifier("cName") ?? entry.name)
  }
}
