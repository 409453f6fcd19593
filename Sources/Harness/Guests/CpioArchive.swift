// Archives of cpio's format "newc": what QEMU hands to Rootstock as one file, and what Linux unpacks
// into its first file system.

import Foundation

/// Writes archives.
enum CpioArchive {
  /// One file of an archive.
  struct Member {
    var name: String
    var file: ModuleFile
  }

  /// Puts `members` in order into `output`.
  ///
  /// - Parameters:
  ///   - members: The files.
  ///   - output: Where to; its position is a multiple of four, as Linux wants it.
  ///   - destination: The path of `output`, for messages.
  /// - Throws: ``HarnessError/input(path:expected:found:)`` where a file cannot be read, or the
  ///   archive not be written.
  static func write(
    _ members: [Member], to output: FileHandle, at destination: URL
  ) throws(HarnessError) {
    for member in members {
      let file = member.file
      do {
        let data =
          try file.contents.map { Data($0) }
          ?? Data(contentsOf: URL(filePath: file.path), options: .mappedIfSafe)
        guard let size = UInt32(exactly: data.count) else {
          throw HarnessError.input(
            path: file.path, expected: "a file of less than 4 GiB", found: "\(data.count) bytes")
        }
        try output.write(contentsOf: header(member.name, size: size, mode: 0o100644))
        try output.write(contentsOf: data)
        try output.write(contentsOf: padding(behind: data.count))
      } catch let error as HarnessError {
        throw error
      } catch {
        throw .input(path: file.path, expected: file.role, found: error.localizedDescription)
      }
    }
    do {
      try output.write(contentsOf: header("TRAILER!!!", size: 0, mode: 0))
    } catch {
      throw .input(
        path: destination.path, expected: "room for the guests' files",
        found: error.localizedDescription)
    }
  }

  /// A member's header and name, padded: 13 numbers of 8 hexadecimal digits behind the magic.
  private static func header(_ name: String, size: UInt32, mode: UInt32) -> Data {
    let nameSize = UInt32(name.utf8.count + 1)
    // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor,
    // namesize, check.
    let fields: [UInt32] = [0, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, nameSize, 0]
    let text =
      "070701"
      + fields.map { field in
        let digits = String(field, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
      }.joined() + name + "\0"
    return Data(text.utf8) + padding(behind: text.utf8.count)
  }

  /// The zeros that bring a length to a multiple of four.
  static func padding(behind length: Int) -> Data {
    Data(count: (4 - length % 4) % 4)
  }
}
