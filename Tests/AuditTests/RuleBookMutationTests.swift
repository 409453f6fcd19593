// Damaged files of rules: whatever is wrong with the text, the loader answers with a place or with rules.

import Foundation
import Testing

@testable import Audit

@Suite("Damaged rules")
struct RuleBookMutationTests {
  /// A linear congruential generator (Knuth's MMIX constants): the same damage on every run.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 33)
    }
  }

  private static func text(of name: String) throws -> String {
    try String(contentsOf: checkout.appending(path: "rules/\(name)"), encoding: .utf8)
  }

  /// Each key of the file misspelled, one at a time: always a fault, always at that line.
  @Test func misspelledKey_isReportedAtItsLine() throws {
    let lines = try Self.text(of: "io.yaml").split(
      separator: "\n", omittingEmptySubsequences: false)
    var tried = 0
    for (index, line) in lines.enumerated() {
      guard let colon = line.firstIndex(of: ":"), line.contains(": ") || line.hasSuffix(":"),
        !line.hasPrefix("#"), !line[..<colon].drop(while: { " -".contains($0) }).contains(" ")
      else { continue }
      var damaged = lines
      damaged[index] = line[..<colon] + "x" + line[colon...]
      let error = try #require(throws: RuleFileError.self, "line \(index + 1)") {
        try RuleBook.load(yaml: damaged.joined(separator: "\n"), file: "io.yaml")
      }
      #expect(error.diagnostics.contains { $0.line == index + 1 }, "\(line): \(error)")
      tried += 1
    }
    #expect(tried >= 50)
  }

  /// The file cut off in the middle of each rule: always a fault.
  @Test func cutOffFile_isRefused() throws {
    let text = try Self.text(of: "segments.yaml")
    let characters = Array(text)
    var refused = 0
    for position in stride(from: 0, to: characters.count - 200, by: characters.count / 60) {
      let piece = String(characters[..<position])
      do {
        let book = try RuleBook.load(yaml: piece, file: "s.yaml")
        #expect(book.rules.allSatisfy { $0.outcomes.count == Target.allCases.count })
      } catch {
        refused += 1
        #expect(error.diagnostics.allSatisfy { $0.line >= 1 && $0.column >= 1 })
      }
    }
    #expect(refused >= 50)
  }

  /// Characters overwritten, removed, doubled at random.
  @Test(arguments: 0..<200)
  func randomDamage_givesRulesOrPlaces(_ seed: Int) throws {
    var generator = Generator(state: UInt64(seed))
    var characters = Array(goodRules.unicodeScalars)
    let junk = Array("\0\t\n :-?[]{}&*!|>'\"%@`#,\u{85}\u{FEFF}\u{1F600}".unicodeScalars)
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      guard let position = characters.indices.randomElement(using: &generator) else { break }
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: characters.remove(at: position)
      case 1:
        let end = min(characters.count, position + Int.random(in: 1...40, using: &generator))
        characters.insert(contentsOf: characters[position..<end], at: position)
      default: characters[position] = junk.randomElement(using: &generator) ?? "\0"
      }
    }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: characters)
    do {
      let book = try RuleBook.load(yaml: String(text), file: "r.yaml")
      #expect(book.rules.allSatisfy { $0.outcomes.count == Target.allCases.count })
    } catch {
      #expect(!error.diagnostics.isEmpty)
      #expect(error.diagnostics.allSatisfy { $0.line >= 1 && $0.column >= 1 })
    }
  }
}
