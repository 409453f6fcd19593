// Builds the page of one entry: what it is, what it needs, what it looks like, how to use it.

public import ABISchema

/// Builds pages out of the interface.
public struct PageBuilder: Sendable {
  let abi: ABI

  public init(_ abi: ABI) {
    self.abi = abi
  }

  /// The page of an entry, with headings from `level` on.
  public func page(_ entry: CatalogEntry, level: Int = 1) -> [Block] {
    guard let subject = abi.subjects.first(where: { $0.name == entry.subject }) else { return [] }
    let name = entry.name
    switch entry.kind {
    case .subject: return overview(subject, level)
    case .topic: return subject.topics.first { $0.name == name }.map { topic($0, level) } ?? []
    case .hypercall:
      return subject.hypercalls.first { $0.entry.name == name }
        .map { hypercall($0, level, isFull: true) } ?? []
    case .operation:
      for hypercall in subject.hypercalls {
        if let found = hypercall.operations.first(where: { $0.entry.name == name }) {
          return operation(found, of: hypercall, level)
        }
      }
      return []
    case .structure: return abi.structure(name).map { structure($0, level) } ?? []
    case .type: return abi.scalar(name).map { scalar($0, level) } ?? []
    case .group:
      return subject.constants.first { $0.entry.name == name }.map { group($0, level) } ?? []
    case .constant:
      let home = subject.constants.first { $0.constants.contains { $0.entry.name == name } }
      guard let home, let found = abi.constant(name) else { return [] }
      return constant(found, in: home, level)
    case .ring: return subject.rings.first { $0.entry.name == name }.map { ring($0, level) } ?? []
    case .note: return subject.notes.first { $0.entry.name == name }.map { note($0, level) } ?? []
    case .key: return subject.keys.first { $0.entry.name == name }.map { key($0, level) } ?? []
    case .state:
      return subject.states.first { $0.entry.name == name }.map { state($0, level) } ?? []
    case .protocol:
      return subject.protocols.first { $0.entry.name == name }
        .map { head($0.entry, "protocol", level) } ?? []
    }
  }

  func overview(_ subject: Subject, _ level: Int) -> [Block] {
    var blocks: [Block] = [.heading(level, subject.title), .paragraph(subject.entry.doc)]
    let rows = Catalog(abi).entries.filter {
      $0.subject == subject.name && ![.constant, .operation, .subject].contains($0.kind)
    }.map { [$0.kind.rawValue, $0.name, $0.summary] }
    if !rows.isEmpty { blocks.append(.table(header: ["kind", "name", "summary"], rows: rows)) }
    return blocks
  }

  func topic(_ topic: Topic, _ level: Int) -> [Block] {
    [.heading(level, topic.title), .markdown(topic.doc)]
  }

  /// Heading, description and the facts that all entries have.
  func head(
    _ entry: Entry, _ kind: String, _ level: Int, facts: [(label: String, text: String)] = []
  ) -> [Block] {
    var all = facts
    if let when = entry.when { all.append(("When", when)) }
    if let deprecated = entry.deprecated { all.append(("Deprecated", deprecated)) }
    all.append(("Source", "\(entry.source); since Xen \(entry.since)"))
    var blocks: [Block] = [.heading(level, "\(entry.name) (\(kind))")]
    if !entry.doc.isEmpty { blocks.append(.paragraph(entry.doc)) }
    blocks.append(.facts(all))
    return blocks
  }

  func number(_ values: PerArchitecture<Int128>) -> String {
    if let common = values.common { return String(common) }
    return values.architectures.map { "\(values[$0].map { String($0) } ?? "") on \($0.rawValue)" }
      .joined(separator: ", ")
  }

  func examples(_ examples: [Examples.Example], _ level: Int) -> [Block] {
    examples.flatMap { example in
      [
        Block.paragraph("In \(example.language.title):"),
        Block.code(language: example.language.rawValue, lines: example.lines),
      ]
    }
  }
}
