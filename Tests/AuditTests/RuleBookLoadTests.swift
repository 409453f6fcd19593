// Bad files of rules: each fault is reported with its place, in words that say what to write.

import Disassembly
import Foundation
import Testing

@testable import Audit

@Suite("Loading rules")
struct RuleBookLoadTests {
  /// One change of the good file and the first diagnostic that it must give.
  struct Fault: Sendable, CustomTestStringConvertible {
    var old: String
    var new: String
    var line: Int
    var says: String

    init(_ old: String, _ new: String, _ line: Int, _ says: String) {
      self.old = old
      self.new = new
      self.line = line
      self.says = says
    }

    var testDescription: String { new }
  }

  @Test func goodFile_isRead() throws {
    let book = try RuleBook.load(yaml: goodRules, file: "rules/good.yaml")
    let rule = try #require(book.rules.first)
    #expect(book.chapters.map(\.name) == ["good"])
    #expect(rule.id == "mov-to-cr3")
    #expect(rule.encodings.map(\.pattern) == ["0F 22 /3", "F3 0F AE /6 m"])
    #expect(rule.encodings.map(\.text) == [nil, "clrssbsy {m64}"])
    #expect(rule.encodings.map(\.modes) == [[.bits16, .bits32, .bits64], [.bits32, .bits64]])
    #expect(rule.outcomes[.pv32]?.disposition == .replace)
    #expect(rule.outcomes[.pvh]?.replacement == nil)
  }

  @Test func pv_standsForBothWidths() throws {
    let text = goodRules.replacing("pv64:", with: "pv:")
      .split(separator: "\n").filter { !$0.contains("pv32:") }.joined(separator: "\n")
    let rule = try #require(try RuleBook.load(yaml: text, file: "a.yaml").rules.first)
    #expect(rule.outcomes[.pv64] == rule.outcomes[.pv32])
  }

  @Test(arguments: [
    Fault("rules:", "rule:", 1, "one of the keys rules, found 'rule'"),
    Fault("id: mov", "id: Mov", 2, "lower-case letters, digits and hyphens, found 'Mov-to-cr3'"),
    Fault("title: Write", "titel: Write", 3, "one of the keys id, title"),
    Fault("privileged", "privilege", 4, "one of privileged, sensitive"),
    Fault("kind: priv", "kind: secret", 5, "one of priv, sens, io, gated, vmx, xfer"),
    Fault("a page table.", "a page table #1.", 6, "a sentence with a full stop"),
    Fault("    source: Intel SDM vol. 2\n", "", 2, "the key 'source'"),
    Fault("source: Intel SDM vol. 2", "source: []", 7, "text for 'source', found a list"),
    Fault("0F 22 /3", "0F 22 /9", 9, "/r or /0 to /7, found '/9'"),
    Fault("0F 22 /3", "ZZ 22", 9, "found 'ZZ' in 'ZZ 22'"),
    Fault("0F 22 /3", "", 9, "expected"),
    Fault("modes: [32, 64]", "modes: [32, 48]", 10, "the modes 16, 32 and 64"),
    Fault("modes: [32, 64]", "modes: 32", 10, "the modes 16, 32 and 64"),
    Fault("{m64}", "{q64}", 10, "a place for an operand"),
    Fault("{m64}", "{m64", 10, "a place for an operand"),
    Fault("F3 0F AE /6 m,", "0F 22 /3,", 10, "taken by 'mov-to-cr3'"),
    Fault("emulated", "emulates", 12, "one of replace, emulated"),
    Fault("pv32: {", "pv: {", 12, "either 'pv' or 'pv64' and 'pv32', found both"),
    Fault("    pvh: {", "    pvx: {", 16, "one of the keys"),
    Fault(", replacement: a hypercall", "", 15, "the key 'replacement'"),
    Fault("why: Slow.", "why: &a Slow.", 13, "which starts an anchor or an alias"),
    Fault("why: Slow.", "why: *a", 13, "which starts an anchor or an alias"),
    Fault("why: Slow.", "why:\u{2028}*a", 13, "which starts an anchor or an alias"),
    Fault("why: Slow.", "why: \"Slow.", 17, "begun at line 13, column 12"),
    Fault("why: Slow.", "why: Slow.\n      why: Slower.", 13, "each key once"),
    Fault("why: Slow.", "why: \(String(repeating: "[", count: 40))", 13, "at most 32 levels"),
    Fault("why: Slow.", "why: \(String(repeating: "? ", count: 900))", 13, "at most 32 levels"),
    Fault("why: Slow.", "why: |\n        Two.\n        Lines.", 13, "one line of text"),
    Fault("why: Slow.", "why: \u{1}", 13, "YAML in UTF-8"),
  ])
  func fault_isReportedAtItsPlace(_ fault: Fault) throws {
    let text = goodRules.replacing(fault.old, with: fault.new, maxReplacements: 1)
    #expect(text != goodRules)
    let error = try #require(throws: RuleFileError.self) {
      try RuleBook.load(yaml: text, file: "rules/bad.yaml")
    }
    let lines = error.diagnostics.map(\.description)
    #expect(
      lines.contains { $0.hasPrefix("rules/bad.yaml:\(fault.line):") && $0.contains(fault.says) },
      "\(lines)")
  }

  @Test(arguments: ["", "\n", "# nothing", "[]", "7", "rules: 7", "--- a\n--- b\n", "\u{FEFF}"])
  func otherFile_isRefusedWithAPlace(_ text: String) throws {
    let error = try #require(throws: RuleFileError.self) {
      try RuleBook.load(yaml: text, file: "x.yaml")
    }
    let first = try #require(error.diagnostics.first)
    #expect(first.line >= 1 && first.column >= 1)
    #expect(!first.expected.isEmpty && !first.found.isEmpty)
  }

  @Test func identifierInTwoFiles_isReportedInTheSecond() throws {
    let error = try #require(throws: RuleFileError.self) {
      try RuleBook.load([("a.yaml", goodRules), ("b.yaml", goodRules)])
    }
    #expect(
      error.diagnostics.first?.description.hasPrefix("b.yaml:2:9: expected an identifier") == true)
    #expect(error.diagnostics.count == 3)
  }

  @Test func hugeFile_isRefusedBeforeItIsParsed() throws {
    let text = String(repeating: "a: 1\n", count: 300_000)
    let error = try #require(throws: RuleFileError.self) {
      try RuleBook.load(yaml: text, file: "x.yaml")
    }
    #expect(error.diagnostics.count == 1)
  }

  @Test func deeplyIndentedFile_isRefused() throws {
    let text = (0..<990).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
    let error = try #require(throws: RuleFileError.self) {
      try RuleBook.load(yaml: text, file: "x.yaml")
    }
    #expect(error.diagnostics.first?.expected.hasPrefix("at most 32 levels") == true)
  }

  /// Quoted brackets hide the nesting from the look at the characters; the parser's own limit holds then.
  @Test(arguments: [100, 990, 5_000])
  func nestingHiddenByQuotes_isRefused(_ depth: Int) throws {
    let text = String(repeating: "[\"]\",\n", count: depth) + String(repeating: "]", count: depth)
    let error = try #require(throws: RuleFileError.self) {
      try RuleBook.load(yaml: text, file: "x.yaml")
    }
    #expect(error.diagnostics.count == 1)
  }

  @Test func folderWithoutRules_isNamed() throws {
    let error = try #require(throws: RuleFileError.self) {
      try RuleBook.load(checkout: checkout.appending(path: "Sources"))
    }
    #expect(error.diagnostics.first?.expected == "a folder with files *.yaml")
  }
}
