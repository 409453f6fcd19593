// Xen's verdicts as recorded: one line for each image in xen-verdicts.tsv, with a digest that ties
// it to the image. `XENOGRAFT_RENEW_VERDICTS=1` with XENOGRAFT_COMPARE_XEN writes the file anew.

import Foundation
import Testing

/// The recorded verdicts.
struct VerdictRecord {
  struct Line: Equatable {
    var digest: String
    var verdict: XenVerdict
  }

  static let header = "# image\tdigest\toutcome\tmessage\tlayout (no ramdisk)"
  var lines: [String: Line] = [:]

  static var file: URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "xen-verdicts.tsv")
  }

  static func read() throws -> Self {
    var record = Self()
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    where !line.hasPrefix("#") {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      let outcome = try #require(
        fields.count == 5 ? XenVerdict.Outcome(rawValue: fields[2]) : nil, "\(line)")
      record.lines[fields[0]] = Line(
        digest: fields[1],
        verdict: XenVerdict(outcome: outcome, message: fields[3], layout: fields[4]))
    }
    return record
  }

  func write() throws {
    let text = lines.sorted { $0.key < $1.key }.map { name, line in
      [name, line.digest, line.verdict.outcome.rawValue, line.verdict.message, line.verdict.layout]
        .map { $0.replacingOccurrences(of: "\t", with: " ") }.joined(separator: "\t")
    }
    try Data((([Self.header] + text).joined(separator: "\n") + "\n").utf8).write(
      to: Self.file, options: .atomic)
  }

  /// FNV-1a over the image without the code, which assemblers may encode differently.
  static func digest(_ bytes: [UInt8], skipping code: [UInt8]) -> String {
    let rest = bytes.range(of: code).map {
      Array(bytes[..<$0.lowerBound] + bytes[$0.upperBound...])
    }
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in rest ?? bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
  }
}

extension [UInt8] {
  /// Where a sequence first stands.
  func range(of needle: [UInt8]) -> Range<Int>? {
    guard !needle.isEmpty, count >= needle.count else { return nil }
    for start in 0...(count - needle.count) where self[start] == needle[0] {
      if self[start..<(start + needle.count)].elementsEqual(needle) {
        return start..<(start + needle.count)
      }
    }
    return nil
  }
}
