// What is generated from rules/ is what is committed. XENOGRAFT_REBASE=1 writes the files anew.

import Foundation
import Testing

@testable import Audit

@Suite("Generated rules")
struct RuleBookFreshnessTests {
  @Test func committedFiles_areWhatTheRulesGive() throws {
    let isRebase = ProcessInfo.processInfo.environment["XENOGRAFT_REBASE"] == "1"
    let stale = try RuleBook.generate(checkout: checkout, checkOnly: !isRebase)
    #expect(stale.isEmpty, "stale: run `xenograft rules generate`")
  }

  @Test func generate_writesWhatIsStaleAndNothingElse() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let rules = folder.appending(path: "rules")
    try FileManager.default.createDirectory(at: rules, withIntermediateDirectories: true)
    try goodRules.write(
      to: rules.appending(path: "one.yaml"), atomically: true, encoding: .utf8)
    let paths = [RuleBook.embeddingPath, RuleReference.path]
    #expect(try RuleBook.generate(checkout: folder, checkOnly: true) == paths)
    #expect(try RuleBook.generate(checkout: folder) == paths)
    #expect(try RuleBook.generate(checkout: folder) == [])
    let reference = folder.appending(path: RuleReference.path)
    try "changed".write(to: reference, atomically: true, encoding: .utf8)
    #expect(try RuleBook.generate(checkout: folder) == [RuleReference.path])
    #expect(try String(contentsOf: reference, encoding: .utf8).contains("### mov-to-cr3"))
  }

  @Test func builtinRules_sayWhatTheFilesSay() throws {
    let book = try checkedOutBook.get()
    #expect(RuleReference.markdown(.builtin) == RuleReference.markdown(book))
    #expect(RuleBook.builtin.embedding() == book.embedding())
  }

  @Test func reference_hasASectionForEachAnchor() throws {
    let book = try checkedOutBook.get()
    let text = RuleReference.markdown(book)
    let sections = Set(
      text.split(separator: "\n").filter { $0.hasPrefix("### ") }.map { String($0.dropFirst(4)) })
    #expect(sections == Set(book.rules.map(\.id)))
    for rule in book.rules {
      #expect(text.contains("[\(rule.id)](#\(rule.id))"), "\(rule.id) is in no index")
    }
  }

  @Test func portingGuide_namesEveryClassAndDisposition() throws {
    let guide = try String(
      contentsOf: checkout.appending(path: "guides/porting-ring0.md"), encoding: .utf8)
    let words = RuleClass.allCases.map(\.rawValue) + Disposition.allCases.map(\.rawValue)
    for word in words {
      #expect(guide.contains("\n| \(word) |"), "no row for \(word)")
    }
    let book = try checkedOutBook.get()
    let ids = Set(book.rules.map(\.id))
    for link in guide.matches(of: /audit-rules\.md#([a-z0-9-]+)/) {
      #expect(ids.contains(String(link.1)), "\(link.0)")
    }
  }
}
