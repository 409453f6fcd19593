// What is generated from rules/ is what is committed. XENOGRAFT_REBASE=1 writes the files anew.

import Foundation
import Testing

@testable import Audit

@Suite("Generated rules")
struct RuleBookFreshnessTests {
  @Test func committedFiles_areWhatTheRulesGive() throws {
    let book = try checkedOutBook.get()
    let isRebase = ProcessInfo.processInfo.environment["XENOGRAFT_REBASE"] == "1"
    for file in book.generatedFiles() {
      let place = checkout.appending(path: file.path)
      if isRebase {
        try file.text.write(to: place, atomically: true, encoding: .utf8)
      }
      let committed = try String(contentsOf: place, encoding: .utf8)
      #expect(
        committed == file.text, "\(file.path) is stale: run `xenograft rules generate`")
    }
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
}
