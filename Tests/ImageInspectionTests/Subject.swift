// The images that are compared: made ones, and those of Debian's packages.

import Foundation

/// An image, and what shows that it runs.
struct Subject {
  /// What Guest/guest64.S prints.
  static let guestLine = "inspected guest runs"
  static let packages = ProcessInfo.processInfo.environment["XENOGRAFT_TEST_BOOT_IMAGES"]

  var name: String
  var bytes: [UInt8]
  var digest: String
  /// `nil` for a kernel that is not made to be domain 0: it is only seen to be taken.
  var line: String? = guestLine
  /// Memory of the domain in MiB.
  var memory: UInt64 = 128
  var arguments = ""

  static func made() throws -> [Self] {
    let code = try GuestCode.assemble()
    var subjects = GuestCases.all(code: code).map { guest in
      Self(
        name: guest.name, bytes: guest.bytes,
        digest: VerdictRecord.digest(guest.bytes, skipping: code))
    }
    if let sound = subjects.first(where: { $0.name == "sound" }) {
      subjects.append(
        Self(name: "sound-gzip", bytes: StoredGzip.pack(sound.bytes), digest: sound.digest))
    }
    return subjects
  }

  /// Files of packages, by the names that .ci/images gives them.
  static func packaged() throws -> [Self] {
    guard let packages else { return [] }
    let names = try FileManager.default.contentsOfDirectory(atPath: packages).sorted()
    return try names.flatMap { name -> [Self] in
      let isLinux = name.hasPrefix("vmlinuz")
      guard isLinux || name.hasPrefix("grub-xen") else { return [] }
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: packages + "/" + name)))
      var subject = Self(
        name: name, bytes: bytes, digest: VerdictRecord.digest(bytes, skipping: []),
        line: isLinux ? "Linux version" : nil,
        arguments: isLinux ? "console=hvc0 earlyprintk=xen" : "")
      guard isLinux else { return [subject] }
      // Linux needs more; with 128 MiB Xen refuses it.
      var small = subject
      small.name += " in 128 MiB"
      subject.memory = 256
      return [subject, small]
    }
  }
}

/// A gzip file without compression (RFC 1952, and RFC 1951 section 3.2.4).
enum StoredGzip {
  static func pack(_ bytes: [UInt8]) -> [UInt8] {
    var out = ByteWriter()
    out.bytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    var rest = bytes[...]
    repeat {
      let block = rest.prefix(0xffff)
      rest = rest.dropFirst(block.count)
      out.bytes.append(rest.isEmpty ? 1 : 0)
      out.half(UInt16(block.count))
      out.half(~UInt16(block.count))
      out.bytes += block
    } while !rest.isEmpty
    var checksum: UInt32 = .max
    for byte in bytes {
      checksum ^= UInt32(byte)
      for _ in 0..<8 { checksum = checksum & 1 == 0 ? checksum >> 1 : checksum >> 1 ^ 0xedb8_8320 }
    }
    out.long(~checksum)
    out.long(UInt32(bytes.count))
    return out.bytes
  }
}
