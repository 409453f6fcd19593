// Each encoding of AuditTests/Fixtures/encodings.tsv through the whole command, as bare code: the right
// kind, the right length and some text; harmless ones give no finding.

import Foundation
import Testing

struct EncodingTests {
  private struct Row {
    var bytes: [UInt8]
    var hex: String
    var kind: String
  }

  private static let rows: [Row] = {
    let path = Command.checkout.appending(path: "Tests/AuditTests/Fixtures/encodings.tsv")
    let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
      let fields = line.split(separator: "\t").map(String.init)
      guard fields.count == 3 else { return nil }
      let digits = Array(fields[0])
      let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(digits[$0..<$0 + 2]), radix: 16)
      }
      return Row(bytes: bytes, hex: fields[0], kind: fields[2])
    }
  }()

  /// Every row behind the other, a `nop` between them, so that one run covers all.
  @Test func audit_ofEveryEncoding_findsKindAndLength() throws {
    let rows = Self.rows.filter { $0.kind != "bad" && $0.kind != "na" }
    try #require(rows.count > 150)
    var code: [UInt8] = []
    var expected: [Int: Row] = [:]
    for row in rows {
      // Room enough that a row whose bytes are cut short cannot swallow the next one.
      code += [UInt8](repeating: 0x90, count: 16)
      expected[code.count] = row
      code += row.bytes
    }
    code += [UInt8](repeating: 0x90, count: 16)
    let scratch = try Scratch()
    let file = try scratch.file("rows.bin", code)
    let run = try Command.run(["audit", "--raw", "64", "--format", "json", file])
    #expect(run.status == 0, "\(run.errors)")
    let document = try #require(
      try JSONSerialization.jsonObject(with: run.output) as? [String: Any])
    let image = try #require((document["images"] as? [[String: Any]])?.first)
    let findings = try #require(image["findings"] as? [[String: Any]])
    var found: [Int: [String: Any]] = [:]
    for finding in findings {
      let address = try #require(finding["address"] as? String)
      found[try #require(Int(address.dropFirst(2), radix: 16))] = finding
    }
    for (offset, row) in expected {
      let finding = found.removeValue(forKey: offset)
      if ["user", "nop", "trap"].contains(row.kind) {
        #expect(finding == nil, "\(row.hex) is harmless")
        continue
      }
      #expect(finding?["kind"] as? String == row.kind, "\(row.hex)")
      #expect(finding?["bytes"] as? String == row.hex, "\(row.hex): its length")
      let text = finding?["instruction"] as? String ?? ""
      #expect(!text.isEmpty && !text.contains("{") && !text.hasPrefix("("), "\(row.hex): \(text)")
    }
    #expect(found.isEmpty, "findings inside or between the rows: \(found.keys.sorted())")
  }
}
