// The disks of one boot: copies, so that every boot begins with the same bytes and the port's own files
// stay as they are.

import Foundation
import Harness
import KernelImage

/// Why a boot's files could not be made ready.
enum PreparationError: Error {
  /// A file that PORT.yaml names.
  case input(PortPath, found: String)
  /// This machine.
  case machine(String)
}

/// The disks of one boot, in a folder that goes away with their owner.
final class DiskCopies: Sendable {
  private let folder: URL
  /// The disks as the harness takes them, in the order of the port.
  let disks: [GuestDisk]

  /// Copies the disks.
  init(_ disks: [PortDisk]) throws(PreparationError) {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "xenograft-disks-\(UUID().uuidString)")
    self.disks = disks.map { [folder] disk in
      var copy = GuestDisk(path: folder.appending(path: disk.name).path)
      copy.name = disk.name
      copy.isReadOnly = disk.isReadOnly
      return copy
    }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    } catch {
      throw .machine("a folder in \(folder.deletingLastPathComponent().path): \(Self.why(error))")
    }
    RunningMachine.willUse(folder: folder.path)
    for (disk, copy) in zip(disks, self.disks) { try Self.fill(copy.path, with: disk.contents) }
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
    RunningMachine.didUse(folder: folder.path)
  }

  /// Path of a disk's copy.
  func path(of name: String) -> String { folder.appending(path: name).path }

  /// What lacks where copies cannot grow any more: an emulator stops a guest that writes then.
  ///
  /// `free` is how many bytes are free there; nil asks the machine.
  func shortage(free: UInt64? = nil) -> String? {
    guard disks.contains(where: { !$0.isReadOnly }) else { return nil }
    var state = statvfs()
    guard
      let free = free
        ?? (statvfs(folder.path, &state) == 0
          ? UInt64(state.f_bavail) * UInt64(state.f_frsize) : nil),
      free < 1 << 16
    else { return nil }
    return "room for what the guest writes: \(folder.deletingLastPathComponent().path) is full"
  }

  private static func why(_ error: any Error) -> String { error.localizedDescription }

  private static func fill(
    _ place: String, with contents: PortDisk.Contents
  ) throws(PreparationError) {
    switch contents {
    case .file(let path):
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder),
        !isFolder.boolValue, FileManager.default.isReadableFile(atPath: path.path)
      else {
        throw .input(path, found: isFolder.boolValue ? "a folder" : "no file that can be read")
      }
      do {
        try FileManager.default.copyItem(
          atPath: URL(filePath: path.path).resolvingSymlinksInPath().path, toPath: place)
        // The guest writes to it, whatever the file's own rights.
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: place)
      } catch {
        throw .machine("room for a copy of \(path.path): \(why(error))")
      }
    case .zeros(let size):
      let descriptor = open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw .machine("\(place): \(String(cString: strerror(errno)))") }
      defer { close(descriptor) }
      guard ftruncate(descriptor, off_t(size) << 20) == 0 else {
        throw .machine("room for \(size) MiB: \(String(cString: strerror(errno)))")
      }
    }
  }
}
