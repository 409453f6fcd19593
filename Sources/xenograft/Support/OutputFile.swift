// Files are written under a temporary name and renamed, so that nobody sees half of one. A device or a
// pipe is written to as it is: a name of its own would take its place.

import Foundation

/// A file that a command writes.
enum OutputFile {
  /// Whether there is something at `path` that is no ordinary file, nor a folder.
  static func isSpecial(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    let kind = status.st_mode & S_IFMT
    return kind != S_IFREG && kind != S_IFDIR
  }

  /// Throws now where a file at `path` could not be written later, after long work.
  static func check(_ path: String?) throws {
    guard let path else { return }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      errno = EISDIR
      throw failure(path)
    }
    if isSpecial(path) {
      guard access(path, W_OK) == 0 else { throw failure(path) }
      return
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
    if isSpecial(path) {
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw failure(path) }
      defer { close(descriptor) }
      return try put(bytes, into: descriptor, path)
    }
    let temporary = "\(path).\(getpid()).partial"
    Interruption.willWrite(temporary)
    defer { Interruption.didWrite(temporary) }
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(path) }
    do { try put(bytes, into: descriptor, path) } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    guard close(descriptor) == 0, rename(temporary, path) == 0 else {
      let error = failure(path)
      unlink(temporary)
      throw error
    }
  }

  /// Writes all of `bytes`.
  private static func put(
    _ bytes: UnsafeRawBufferPointer, into descriptor: Int32, _ path: String
  ) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest)
      let written = Foundation.write(descriptor, piece.baseAddress, piece.count)
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw failure(path) }
      rest = rest.dropFirst(written)
    }
  }

  /// What the last call of the system says of `path`.
  static func failure(_ path: String) -> CommandFailure {
    .input(
      "\(path): expected a file that can be written, found: \(String(cString: strerror(errno)))")
  }
}
