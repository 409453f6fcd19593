// What the tests of the rules share: the checkout's rules, and a matcher fed with hexadecimal text.

import Disassembly
import Foundation
import Testing

@testable import Audit

/// The checkout that this test was built from.
let checkout = URL(filePath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// The book in rules/, read once.
let checkedOutBook = Result { () throws(RuleFileError) -> RuleBook in
  try RuleBook.load(checkout: checkout)
}

/// A well-formed file with one rule, as a base for faults.
let goodRules = """
  rules:
    - id: mov-to-cr3
      title: Write of CR3
      class: privileged
      kind: priv
      summary: Installs a page table.
      source: Intel SDM vol. 2
      encodings:
        - 0F 22 /3
        - { pattern: F3 0F AE /6 m, modes: [32, 64], text: "clrssbsy {m64}" }
      pv64:
        disposition: emulated
        why: Slow.
        replacement: HYPERVISOR_mmuext_op(MMUEXT_NEW_BASEPTR)
      pv32: { disposition: replace, why: It faults., replacement: a hypercall }
      pvh: { disposition: native, why: Ring 0 of a virtual machine. }

  """

/// Bytes written in hexadecimal.
func hexBytes(_ text: String) -> [UInt8] {
  let digits = Array(text.filter { !$0.isWhitespace })
  return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
    UInt8(String(digits[$0...$0 + 1]), radix: 16)
  }
}

/// One row of Fixtures/encodings.tsv.
struct EncodingRow: Sendable, CustomTestStringConvertible {
  var hex: String
  var instruction: String
  var kind: String

  var testDescription: String { "\(hex) \(instruction)" }

  /// All rows; empty where the table cannot be read, which a test of its own reports.
  static let all: [EncodingRow] = {
    let path = checkout.appending(path: "Tests/AuditTests/Fixtures/encodings.tsv")
    let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
      let fields = line.split(separator: "\t").map(String.init)
      guard fields.count == 3 else { return nil }
      return EncodingRow(hex: fields[0], instruction: fields[1], kind: fields[2])
    }
  }()
}

/// The rule for the instruction that `hex` spells, padded so that a short row is not cut off; `nil` where none takes it.
func rule(_ hex: String, _ mode: DecodingMode, in matcher: RuleMatcher) -> Rule? {
  let bytes = hexBytes(hex) + [UInt8](repeating: 0, count: 15)
  return bytes.withUnsafeBytes { raw in
    guard let encoding = LengthDecoder(mode: mode).decode(raw, at: 0) else { return nil }
    return matcher.match(encoding, bytes: raw, mode: mode)?.rule
  }
}
