// Files are written under a temporary name and renamed, so that nobody sees half of one.

import Foundation

/// A file that a command writes.
enum OutputFile {
  /// Throws now where a file at `path` could not be written later, after long work.
  static func check(_ path: String?) throws {
    guard let path else { return }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      errno = EISDIR
      throw failure(path)
    }
    let temporary = "\(path).\(getpid()).partial"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(path) }
    close(descriptor)
    unlink(temporary)
  }

  /// Puts `bytes` at `path`, or throws and leaves what was there.
  static func write(_ bytes: [UInt8], to path: String) throws {
    try bytes.withUnsafeBytes { try write($0, to: path) }
  }

  /// Puts `bytes` at `path`, or throws and leaves what was there.
  static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    let temporary = "\(path).\(getpid()).partial"
    Interruption.willWrite(temporary)
    defer { Interruption.didWrite(temporary) }
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(path) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest)
      let written = Foundation.write(descriptor, piece.baseAddress, piece.count)
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        let error = failure(path)
        close(descriptor)
        unlink(temporary)
        throw error
      }
      rest = rest.dropFirst(written)
    }
    guard close(descriptor) == 0, rename(temporary, path) == 0 else {
      let error = failure(path)
      unlink(temporary)
      throw error
    }
  }

  /// What the last call of the system says of `path`.
  static func failure(_ path: String) -> CommandFailure {
    .input(
      "\(path): expected a file that can be written, found: \(String(cString: strerror(errno)))")
  }
}
