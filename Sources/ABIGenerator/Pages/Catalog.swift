// Every entry of the interface by name, number and text: what list, show and find look into.

public import ABISchema

/// The kinds of entries.
public enum EntryKind: String, Sendable, CaseIterable {
  case subject
  case topic
  case hypercall
  case operation
  case structure
  case type
  case group
  case constant
  case ring
  case note
  case key
  case state
  case `protocol`
}

/// One entry's line in a list.
public struct CatalogEntry: Sendable {
  public var kind: EntryKind
  public var name: String
  public var subject: String
  public var summary: String
  /// The numbers that lead to it.
  public var numbers: [Int128]
  /// All its text, for searching.
  var text: String
  /// What Xen's headers or C call it, if not the name.
  var otherNames: [String]
}

/// The index of an interface.
public struct Catalog: Sendable {
  public let entries: [CatalogEntry]

  public init(_ abi: ABI) {
    entries = abi.subjects.flatMap(Self.entries)
  }

  /// The entries of a kind, in the order of abi/; all where `kind` is `nil`.
  public func list(_ kind: EntryKind?) -> [CatalogEntry] {
    entries.filter { kind == nil || $0.kind == kind }
  }

  /// The entries with exactly this name, also as C spells it; letters' case counts only if it must.
  public func named(_ name: String) -> [CatalogEntry] {
    let bare =
      ["struct ", "union "].first { name.hasPrefix($0) }.map { String(name.dropFirst($0.count)) }
      ?? name
    let exact = entries.filter { $0.name == bare || $0.otherNames.contains(bare) }
    if !exact.isEmpty { return exact }
    let lower = bare.lowercased()
    return entries.filter { entry in
      ([entry.name] + entry.otherNames).contains { $0.lowercased() == lower }
    }
  }

  /// Names near one that does not exist.
  public func near(_ name: String) -> [String] {
    NearNames.find(name, in: entries.map(\.name), count: 5)
  }

  /// The entries with this number, hypercalls first.
  public func numbered(_ number: Int128) -> [CatalogEntry] {
    let found = entries.filter { $0.numbers.contains(number) && $0.kind != .group }
    return found.filter { $0.kind == .hypercall } + found.filter { $0.kind != .hypercall }
  }

  /// The entries whose name or text contains all words, those with a word in their name first.
  public func containing(_ text: String) -> [CatalogEntry] {
    let words = text.lowercased().split(whereSeparator: \.isWhitespace).map(String.init)
    guard !words.isEmpty else { return [] }
    let found = entries.filter { entry in
      let all = (entry.name + " " + entry.text).lowercased()
      return words.allSatisfy { all.contains($0) }
    }
    let isNamed = { (entry: CatalogEntry) in
      words.contains { entry.name.lowercased().contains($0) }
    }
    return found.filter(isNamed) + found.filter { !isNamed($0) }
  }

  private static func entries(of subject: Subject) -> [CatalogEntry] {
    func make(
      _ kind: EntryKind, _ entry: Entry, _ numbers: [Int128] = [], text: String = "",
      otherNames: [String] = []
    ) -> CatalogEntry {
      CatalogEntry(
        kind: kind, name: entry.name, subject: subject.name, summary: Prose.summary(entry.doc),
        numbers: numbers, text: entry.doc + " " + (entry.when ?? "") + " " + text,
        otherNames: otherNames)
    }
    var found = [make(.subject, subject.entry, text: subject.title)]
    found += subject.topics.map {
      CatalogEntry(
        kind: .topic, name: $0.name, subject: subject.name, summary: $0.title, numbers: [],
        text: $0.title + " " + $0.doc, otherNames: [])
    }
    for hypercall in subject.hypercalls {
      let numbers = Set(Architecture.allCases.compactMap { hypercall.number[$0] }).sorted()
      found.append(
        make(
          .hypercall, hypercall.entry, numbers, text: hypercall.before ?? "",
          otherNames: [
            "__HYPERVISOR_" + hypercall.entry.name, "HYPERVISOR_" + hypercall.entry.name,
          ]))
      found += hypercall.operations.map {
        make(
          .operation, $0.entry, [$0.number], text: hypercall.entry.name + " " + ($0.before ?? ""))
      }
    }
    found += subject.structures.map { structure in
      let fields = structure.fields.map { ($0.name ?? "") + " " + ($0.doc ?? "") }
      let other = [structure.typedef, structure.cName.split(separator: " ").last.map(String.init)]
      return make(
        .structure, structure.entry, text: fields.joined(separator: " "),
        otherNames: other.compactMap { $0 })
    }
    found += subject.types.map { make(.type, $0.entry, otherNames: [$0.cName]) }
    for group in subject.constants {
      found.append(make(.group, group.entry))
      found += group.constants.map { constant in
        let numbers = Architecture.allCases.compactMap { constant.values[$0]?.integer }
        return make(
          .constant, constant.entry, Set(numbers).sorted(), text: group.entry.name,
          otherNames: [constant.cName])
      }
    }
    found += subject.rings.map { make(.ring, $0.entry) }
    found += subject.notes.map { make(.note, $0.entry, [$0.number]) }
    found += subject.keys.map { key in
      let last = key.path.split(separator: "/").last.map(String.init)
      return make(.key, key.entry, otherNames: [key.path, last].compactMap { $0 })
    }
    found += subject.states.map { make(.state, $0.entry, [$0.value]) }
    found += subject.protocols.map { make(.protocol, $0.entry) }
    return found
  }
}
