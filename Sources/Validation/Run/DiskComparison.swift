// Whether a disk has the bytes that it should have, and where it has others.

import Foundation
import KernelImage

/// What a disk is compared with.
enum DiskReference: Sendable {
  case file(String)
  case zeros(Int)
}

/// Compares a disk's copy.
enum DiskComparison {
  private static let piece = 1 << 20

  /// The first difference in words; `nil` where there is none.
  static func difference(of path: String, from reference: DiskReference) -> String? {
    guard let found = FileHandle(forReadingAtPath: path) else { return "no disk that can be read" }
    defer { try? found.close() }
    var expected: FileHandle?
    if case .file(let other) = reference {
      guard let handle = FileHandle(forReadingAtPath: other) else {
        return "nothing to compare it with: \(other) cannot be read"
      }
      expected = handle
    }
    defer { try? expected?.close() }
    var offset = 0
    while true {
      let here = (try? found.read(upToCount: piece)) ?? Data()
      let there: Data
      if let expected {
        there = (try? expected.read(upToCount: piece)) ?? Data()
      } else if case .zeros(let size) = reference {
        there = Data(count: max(0, min(piece, size << 20 - offset)))
      } else {
        there = Data()
      }
      if here != there {
        let common = zip(here, there).prefix { $0 == $1 }.count
        let place = offset + common
        guard common < here.count, common < there.count else {
          return "\(offset + here.count) bytes or more in place of \(offset + there.count)"
        }
        return "another byte at \(place) (sector \(place / 512)): "
          + "\(hex(there[there.startIndex + common])) expected, \(hex(here[here.startIndex + common])) found"
      }
      if here.isEmpty { return nil }
      offset += here.count
    }
  }

  /// A disk's SHA-256 digest.
  static func digest(of path: String) throws(ImageError) -> String {
    try ImageDigest.sha256(path: path)
  }

  private static func hex(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return "0x" + (digits.utf8.count == 1 ? "0" : "") + digits
  }
}
