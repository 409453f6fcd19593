// Archives of boot modules: members in order, and every way in which lengths can lie.

import Testing

@testable import HypervisorCore

@Suite struct ModuleArchiveTests {
  /// One member as `cpio -H newc` writes it.
  static func member(
    _ name: String, _ data: [UInt8], mode: UInt32 = 0o100644, size: String? = nil,
    nameSize: String? = nil
  ) -> [UInt8] {
    func hexadecimal(_ value: Int) -> String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }
    let nameBytes = Array(name.utf8) + [0]
    var fields = [String](repeating: "00000000", count: 13)
    fields[1] = hexadecimal(Int(mode))
    fields[6] = size ?? hexadecimal(data.count)
    fields[11] = nameSize ?? hexadecimal(nameBytes.count)
    var bytes = Array(("070701" + fields.joined()).utf8) + nameBytes
    while bytes.count % 4 != 0 { bytes.append(0) }
    bytes += data
    while bytes.count % 4 != 0 { bytes.append(0) }
    return bytes
  }

  static let trailer = member("TRAILER!!!", [], mode: 0)

  /// The members' bytes, and how the archive ends; nil where it is no archive.
  private func read(_ archive: [UInt8]) -> (members: [[UInt8]], end: ArchiveStep)? {
    archive.withUnsafeBytes { buffer -> ([[UInt8]], ArchiveStep)? in
      guard let base = buffer.baseAddress,
        var reader = ModuleArchive(ImageBytes(base, count: UInt64(buffer.count)))
      else { return nil }
      var members: [[UInt8]] = []
      while case let step = reader.next() {
        guard case .member(let offset, let length) = step else { return (members, step) }
        members.append(Array(archive[Int(offset)..<Int(offset + length)]))
      }
    }
  }

  @Test func members_comeInOrder_whateverTheirPadding() throws {
    let data: [[UInt8]] = [[1], [2, 2], [3, 3, 3], [4, 4, 4, 4], []]
    let names = ["a", "bb", "ccc", "dddd", "TRAILER"]
    let archive = zip(names, data).flatMap { Self.member($0, $1) } + Self.trailer
    let found = try #require(read(archive))
    #expect(found.members == data)
    #expect(found.end == .end)
  }

  @Test func foldersAndDevices_arePassedOver() throws {
    let archive =
      Self.member("folder", [], mode: 0o040755) + Self.member("device", [9], mode: 0o020600)
      + Self.member("file", [7]) + Self.trailer
    #expect(try #require(read(archive)).members == [[7]])
  }

  @Test(arguments: ["", "07070", "070702", "\u{7f}ELF00000000", "070707"])
  func otherFiles_areNoArchive(text: String) {
    #expect(read(Array(text.utf8)) == nil)
  }

  @Test(arguments: [
    member("a", [1], size: "ffffffff"), member("a", [1], nameSize: "ffffffff"),
    member("a", [1], size: "00000010"), member("a", [1], size: "0000000g"),
    member("a", [1], nameSize: "-0000001"), Array("070701".utf8),
  ])
  func lengthsThatLie_breakTheArchive(archive: [UInt8]) throws {
    #expect(try #require(read(archive)).end == .broken)
  }

  @Test func everyCut_isBrokenAndNeverReadBeyond() throws {
    let archive = Self.member("kernel", [1, 2, 3, 4, 5]) + Self.trailer
    for length in 6..<archive.count {
      let found = try #require(read(Array(archive[..<length])))
      // The padding behind the trailer's name may be missing.
      #expect(found.end == .broken || length >= archive.count - 3)
    }
  }

  @Test func everyBitFlipped_staysInsideTheArchive() {
    let archive = Self.member("kernel", [1, 2, 3, 4, 5]) + Self.trailer
    for index in archive.indices {
      for bit in 0..<8 {
        var bad = archive
        bad[index] ^= 1 << UInt8(bit)
        // Slices beyond the array would trap.
        _ = read(bad)
      }
    }
  }
}
