// Broken data gives diagnostics with a place, and never a trap: each row changes one thing.

import ABISchema
import Testing

@Suite struct MutationTests {
  struct Mutation: Sendable, CustomStringConvertible {
    var old: String
    var new: String
    /// Part of the message.
    var message: String
    var description: String { "\(old) -> \(new)" }

    init(_ old: String, _ new: String, _ message: String) {
      self.old = old
      self.new = new
      self.message = message
    }
  }

  @Test(arguments: structural + entries + layouts + references)
  func load_mutation_reportsItsPlace(_ mutation: Mutation) throws {
    let text = try #require(Sample.changed(mutation.old, mutation.new), "the mutation applies")
    let result = Sample.load(text)
    #expect(result.abi == nil)
    let errors = result.diagnostics.filter { $0.severity == .error }
    let found = errors.first { $0.message.contains(mutation.message) }
    #expect(found != nil, "\(errors.map(\.rendered))")
    let changedLine = Sample.text.prefix(upTo: Sample.text.ranges(of: mutation.old)[0].lowerBound)
      .count { $0.isNewline }
    let lineCount = text.count { $0.isNewline } + 1
    for error in errors {
      #expect(error.position.file == Sample.file)
      #expect((1...lineCount).contains(error.position.line))
      #expect(error.position.column >= 1)
    }
    #expect(changedLine < lineCount)
  }

  @Test func table_hasAtLeastAHundredRows() {
    let count = (Self.structural + Self.entries + Self.layouts + Self.references).count
    #expect(count >= 100, "found \(count)")
  }

  /// Deterministic damage to single bytes and lines: either the text still reads, or it is refused
  /// with a place inside the file.
  @Test func load_randomDamage_isRefusedOrRead() throws {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(truncatingIfNeeded: (state >> 33) % UInt64(bound))
    }
    let bytes = Array(Sample.text.utf8)
    let noise = Array("{}[]:,-#&*!|>'\"%@`?\n\t 0x\u{0}é".utf8)
    var refused = 0
    for _ in 0..<300 {
      var damaged = bytes
      for _ in 0...next(3) {
        let place = next(damaged.count)
        switch next(4) {
        case 0: damaged[place] = noise[next(noise.count)]
        case 1: damaged.remove(at: place)
        case 2: damaged.insert(noise[next(noise.count)], at: place)
        default: damaged.removeSubrange(place..<min(damaged.count, place + next(200)))
        }
      }
      let result = Sample.load(String(decoding: damaged, as: UTF8.self))
      if result.abi == nil {
        refused += 1
        #expect(result.hasErrors)
        #expect(result.diagnostics.allSatisfy { $0.position.line >= 1 })
      }
    }
    #expect(refused > 100)
  }

  @Test func load_aliases_areRefusedBeforeTheyMultiply() throws {
    var bomb = "subject: sample\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<30 {
      let parts = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      bomb += "a\(level): &a\(level) [\(parts)]\n"
    }
    let result = Sample.load(bomb)
    #expect(result.diagnostics.first?.message.contains("alias") == true)
    #expect(result.diagnostics.first?.position.line == 3)
  }

  @Test(arguments: ["[", "{a: ", "- ", "? "])
  func load_deepNesting_isRefused(_ opening: String) {
    let deep = String(repeating: opening, count: 100_000)
    #expect(Sample.load("subject: sample\ndoc: x\nstructures: " + deep).hasErrors)
  }

  @Test func load_hugeFile_isRefused() {
    let result = Sample.load("subject: sample\ndoc: " + String(repeating: "x", count: 5 << 20))
    #expect(result.diagnostics.first?.message.contains("at most") == true)
  }
}
