// The files of a run that QEMU hands over as one: a kernel that it starts by PVH gets a single module,
// and domain 0's Linux on stock Xen a single ramdisk.

import Foundation

/// Packs the guests' files.
enum ModulePacking {
  /// Puts `files` in order into a new archive at `destination`, which Rootstock takes apart again.
  static func write(_ files: [ModuleFile], to destination: URL) throws(HarnessError) {
    let output = try create(destination)
    defer { try? output.close() }
    let members = files.enumerated().map {
      CpioArchive.Member(name: "module\($0)", file: $1)
    }
    try CpioArchive.write(members, to: output, at: destination)
  }

  /// Puts the initramfs at `base` and behind it an archive of `members` into a new file.
  ///
  /// Linux unpacks one archive after the other.
  static func extend(
    _ base: String, with members: [CpioArchive.Member], to destination: URL
  ) throws(HarnessError) {
    let output = try create(destination)
    defer { try? output.close() }
    do {
      let data = try Data(contentsOf: URL(filePath: base), options: .mappedIfSafe)
      try output.write(contentsOf: data + CpioArchive.padding(behind: data.count))
    } catch {
      throw .input(
        path: base, expected: "domain 0's initramfs", found: error.localizedDescription)
    }
    try CpioArchive.write(members, to: output, at: destination)
  }

  private static func create(_ destination: URL) throws(HarnessError) -> FileHandle {
    do {
      try Data().write(to: destination)
      return try FileHandle(forWritingTo: destination)
    } catch {
      throw .input(
        path: destination.path, expected: "a file that can be written",
        found: error.localizedDescription)
    }
  }
}
