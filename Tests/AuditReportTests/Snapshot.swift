// Comparison with recorded output. `XENOGRAFT_RENEW_SNAPSHOTS=1 swift test` writes the records
// anew; the difference then shows in the commit, where a person reads it.

import Foundation
import Testing

/// Compares `bytes` with the record `name` in the folder Snapshots beside this file.
func expectSnapshot(
  _ bytes: [UInt8], _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snapshots")
  let file = folder.appending(path: name)
  if ProcessInfo.processInfo.environment["XENOGRAFT_RENEW_SNAPSHOTS"] == "1" {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(bytes).write(to: file, options: .atomic)
    return
  }
  let record = try [UInt8](Data(contentsOf: file))
  guard record != bytes else { return }
  let expected = String(decoding: record, as: UTF8.self).split(
    separator: "\n", omittingEmptySubsequences: false)
  let found = String(decoding: bytes, as: UTF8.self).split(
    separator: "\n", omittingEmptySubsequences: false)
  let differ = zip(expected, found).enumerated().first { $0.element.0 != $0.element.1 }
  let line = differ?.offset ?? min(expected.count, found.count)
  Issue.record(
    """
    \(name) differs from its record at line \(line + 1).
    expected: \(line < expected.count ? String(expected[line]) : "the end")
    found:    \(line < found.count ? String(found[line]) : "the end")
    Run with XENOGRAFT_RENEW_SNAPSHOTS=1 to write it anew.
    """, sourceLocation: sourceLocation)
}
