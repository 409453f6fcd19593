// `abi list`, `abi show` and `abi find`.

import ABIGenerator
import ABISchema
import ArgumentParser
import Foundation

struct AbiListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the entries of a kind, or count those of every kind.",
    discussion: """
      Examples:

        xenograft abi list
        xenograft abi list hypercall
      """)

  @Argument(
    help: ArgumentHelp(
      "One of \(EntryKind.allCases.map(\.rawValue).joined(separator: ", ")); a plural is fine."))
  var kind: String?

  @OptionGroup var source: AbiDataOptions

  func run() throws {
    let catalog = Catalog(try source.load())
    guard let kind else {
      for kind in EntryKind.allCases {
        let count = String(catalog.list(kind).count)
        print(String(repeating: " ", count: max(0, 6 - count.count)) + count + "  " + kind.rawValue)
      }
      return
    }
    guard let wanted = Self.kind(kind) else {
      throw AbiSupport.fail(
        "abi list", expected: EntryKind.allCases.map(\.rawValue).joined(separator: ", "),
        found: "`\(kind)`")
    }
    printEntries(catalog.list(wanted))
  }

  static func kind(_ text: String) -> EntryKind? {
    let lower = text.lowercased()
    return EntryKind(rawValue: lower)
      ?? EntryKind.allCases.first { $0.rawValue + "s" == lower || $0.rawValue + "es" == lower }
  }
}

struct AbiShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show an entry: what it is, what it needs, its layout, and how to use it.",
    discussion: """
      Examples:

        xenograft abi show grant_table_op
        xenograft abi show gnttab_map_grant_ref
      """)

  @Argument(help: "A hypercall, operation, structure, constant, note, key, ring, topic or subject.")
  var name: String

  @Flag(help: "Print Markdown.")
  var markdown = false

  @OptionGroup var source: AbiDataOptions

  func run() throws {
    let abi = try source.load()
    let catalog = Catalog(abi)
    let entries = catalog.named(name)
    guard !entries.isEmpty else {
      let near = catalog.near(name)
      throw AbiSupport.fail(
        "abi show", expected: "the name of an entry",
        found: "`\(name)`"
          + (near.isEmpty
            ? "; try `xenograft abi find \(name)`"
            : "; did you mean \(near.joined(separator: ", "))?"))
    }
    let builder = PageBuilder(abi)
    for (index, entry) in entries.enumerated() {
      if index > 0 { print() }
      let blocks = builder.page(entry)
      print(
        markdown ? MarkdownRenderer.render(blocks) : TextRenderer.render(blocks), terminator: "")
    }
  }
}

struct AbiFindCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find", abstract: "Find entries by number or by words.",
    discussion: """
      Examples:

        xenograft abi find 17
        xenograft abi find persistent grants

      Exit codes: 0; 1, nothing is found.
      """)

  @Argument(help: "A number (decimal or 0x…), or words that must all occur.")
  var words: [String]

  @OptionGroup var source: AbiDataOptions

  func run() throws {
    let catalog = Catalog(try source.load())
    let text = words.joined(separator: " ")
    var found: [CatalogEntry] = []
    if words.count == 1, let number = Self.number(text) {
      found = catalog.numbered(number)
    }
    if found.isEmpty { found = catalog.containing(text) }
    guard !found.isEmpty else {
      let near = catalog.near(text)
      AbiSupport.printError(
        "nothing has the number or the words `\(text)`"
          + (near.isEmpty ? "" : "; near names: \(near.joined(separator: ", "))"))
      throw ExitCode(1)
    }
    printEntries(found)
  }

  private static func number(_ text: String) -> Int128? {
    let lower = text.lowercased()
    if lower.hasPrefix("0x") { return Int128(lower.dropFirst(2), radix: 16) }
    return Int128(text)
  }
}

/// A line an entry: kind, name, number, where it stands, and its first sentence.
private func printEntries(_ entries: [CatalogEntry]) {
  let rows = entries.map { entry in
    let numbers = entry.numbers.map { $0 > 0xFFFF ? "0x" + String($0, radix: 16) : String($0) }
    return [
      entry.kind.rawValue, entry.name, numbers.joined(separator: "/"), entry.subject, entry.summary,
    ]
  }
  var widths = [0, 0, 0, 0, 0]
  for row in rows {
    for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
  }
  for row in rows {
    let cells = row.dropLast().enumerated().map { column, cell in
      cell + String(repeating: " ", count: widths[column] - cell.count)
    }
    print((cells + [row.last ?? ""]).joined(separator: "  "))
  }
}
