// The rules as they stand: complete, free of ambiguity, and right on every row of the table of encodings.

import Disassembly
import Foundation
import Testing

@testable import Audit

@Suite("Rules")
struct RuleBookContentTests {
  let book: RuleBook
  let matcher: RuleMatcher

  init() throws {
    book = try checkedOutBook.get()
    matcher = try RuleMatcher(book.rules)
  }

  @Test func everyRule_hasAnOutcomeForEachTarget() {
    #expect(book.rules.count >= 118)
    for rule in book.rules {
      #expect(Set(rule.outcomes.keys) == Set(Target.allCases), "\(rule.id)")
      #expect(rule.guide == "guides/audit-rules.md#\(rule.id)")
    }
  }

  @Test func everyKind_agreesWithItsClass() {
    let allowed: [RuleKind: Set<RuleClass>] = [
      .priv: [.privileged, .virtualization, .transfer],
      .sens: [.sensitive, .virtualization, .transfer],
      .io: [.io], .gated: [.gated], .vmx: [.virtualization], .xfer: [.transfer],
    ]
    for rule in book.rules {
      #expect(allowed[rule.kind]?.contains(rule.ruleClass) == true, "\(rule.id)")
    }
  }

  @Test func table_isRead() {
    #expect(EncodingRow.all.count == 183)
  }

  @Test(arguments: EncodingRow.all)
  func row_isTakenByOneRuleOfItsKind(_ row: EncodingRow) {
    let found = rule(row.hex, .bits64, in: matcher)
    #expect(found?.kind.rawValue == (RuleKind(rawValue: row.kind)?.rawValue), "\(found?.id ?? "-")")
  }

  /// Forms that exist only outside 64-bit mode, and look-alikes that are harmless there.
  @Test(
    arguments: [
      ("06", "push-data-segment"), ("07", "pop-data-segment"), ("0e", "push-cs-ss"),
      ("16", "push-cs-ss"), ("17", "pop-ss"), ("1e", "push-data-segment"),
      ("1f", "pop-data-segment"), ("0fa0", "push-data-segment"), ("0fa9", "pop-data-segment"),
      ("8ed0", "mov-to-ss"), ("8ed8", "mov-to-data-segment"), ("8cc8", "mov-from-cs-ss"),
      ("c507", "load-far-pointer"), ("c407", "load-far-pointer"), ("c5f877", nil),
      ("c4e27df3c8", nil), ("0fb207", "lss"), ("9a000000000000", "far-call"),
      ("ea000000000000", "far-jump"), ("ff1f", "far-call"), ("ff2f", "far-jump"), ("ffd0", nil),
      ("ffe0", nil), ("cb", "far-return"), ("ca0800", "far-return"), ("63c8", "arpl"),
      ("0f24f0", "mov-from-tr"), ("0f26f0", "mov-to-tr"), ("6207", "bound"), ("ce", "into"),
      ("cd82", "int-0x82"), ("cd80", "int-0x80"), ("cd03", "int-n"), ("60", nil), ("61", nil),
      ("f00f20c0", "mov-from-cr8"), ("f00f22c0", "mov-to-cr8"), ("0f22c8", nil),
      ("0f22d0", "mov-to-cr2"), ("669c", "pushf"), ("669d", "popf"), ("66cf", "iret"),
      ("f30fc707", nil), ("0fc707", nil), ("0f01d6", nil), ("0f01d7", nil), ("f20f01e8", nil),
      ("f20f01e9", nil), ("f30fae27", nil), ("660fae37", nil), ("660fae3f", nil), ("0fae3f", nil),
      ("f30f1e07", nil), ("0f1f00", nil), ("660f78c00101", nil), ("f30f01fa", nil),
    ] as [(String, String?)])
  func form32_isTakenByItsRule(_ hex: String, _ expected: String?) {
    #expect(rule(hex, .bits32, in: matcher)?.id == expected)
  }

  @Test(
    arguments: [
      ("06", .bits64, nil), ("9a00000000", .bits64, nil), ("6307", .bits64, nil),
      ("c507", .bits64, nil), ("0f26c0", .bits64, nil), ("cd10", .bits16, "int-firmware"),
      ("cd80", .bits16, "int-firmware"), ("f3480faec0", .bits64, "rdfsgsbase"),
      ("f30faec0", .bits32, nil), ("440f20c0", .bits64, "mov-from-cr8"),
      ("440f22d8", .bits64, "mov-reserved-cr"), ("450f22c1", .bits64, "mov-to-cr8"),
      ("c4e77bf6c010000000", .bits64, "rdmsr-immediate"), ("f30f38dc07", .bits64, nil),
      ("f30f38dcc8", .bits64, "loadiwkey"), ("0f20d8", .bits16, "mov-from-cr3"),
      ("0f0116", .bits16, "lgdt"),
    ] as [(String, DecodingMode, String?)])
  func form_isTakenInItsMode(_ hex: String, _ mode: DecodingMode, _ expected: String?) {
    #expect(rule(hex, mode, in: matcher)?.id == expected)
  }

  /// Of all patterns that fit an encoding, those with the most conditions belong to one rule.
  @Test func everyEncoding_hasOneBestRule() throws {
    var patterns: [(EncodingPattern, String)] = []
    for rule in book.rules {
      for encoding in rule.encodings {
        let pattern = try EncodingPattern(parsing: encoding.pattern, modes: encoding.modes)
        patterns.append((pattern, rule.id))
      }
    }
    let byOpcode = Dictionary(grouping: patterns.filter { $0.0.space == .legacy }) {
      Int($0.0.map) << 8 | Int($0.0.opcode)
    }
    let escapes: [[UInt8]] = [[], [0x0F], [0x0F, 0x38], [0x0F, 0x3A]]
    let prefixes: [[UInt8]] = [[], [0x66], [0xF2], [0xF3], [0xF0]]
    var checked = 0
    for (key, group) in byOpcode {
      for mode in DecodingMode.allCases {
        for prefix in prefixes {
          for rex: UInt8 in mode == .bits64 ? [0, 0x44, 0x48] : [0] {
            for modRM in UInt8.min...UInt8.max where modRM < 0x40 || modRM >= 0xC0 {
              let code =
                prefix + (rex == 0 ? [] : [rex]) + escapes[key >> 8]
                + [UInt8(key & 0xFF), modRM] + [UInt8](repeating: 0, count: 15)
              code.withUnsafeBytes { raw in
                guard let encoding = LengthDecoder(mode: mode).decode(raw, at: 0) else { return }
                let fits = group.filter { $0.0.matches(encoding, bytes: raw, mode: mode) }
                guard let best = fits.map(\.0.specificity).max() else { return }
                let rules = Set(fits.filter { $0.0.specificity == best }.map(\.1))
                checked += 1
                if rules.count > 1 {
                  Issue.record("\(code.prefix(7)) in \(mode): \(rules.sorted())")
                }
              }
            }
          }
        }
      }
    }
    #expect(checked > 50_000)
  }
}
