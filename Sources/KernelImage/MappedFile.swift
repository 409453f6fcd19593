// A file of the user's, mapped read-only. Every reader of this module works on such a map (or on
// memory unpacked from it), so that of a file of many hundred megabytes only the pages that are
// looked at become resident.

import Glibc

/// Owns one read-only, private mapping of a regular file.
///
/// `@unchecked Sendable`: both properties are constants, and the memory is never written.
final class MappedFile: @unchecked Sendable {
  /// The whole file; empty for an empty file.
  let buffer: UnsafeRawBufferPointer
  private let identity: Identity

  /// What `fstat` says of a file that must not change while it is read.
  struct Identity: Equatable {
    var size: Int
    var seconds: Int
    var nanoseconds: Int

    init(_ status: stat) {
      size = Int(status.st_size)
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }
  }

  /// Maps the file at `path`.
  ///
  /// Devices, pipes and directories are refused: a map of one has no fixed size, and opening a
  /// pipe could wait for ever.
  init(path: String) throws(ImageError) {
    let descriptor = try Self.openRegular(path: path)
    defer { close(descriptor.number) }
    identity = Identity(descriptor.status)
    guard identity.size > 0 else {
      buffer = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard
      let start = mmap(nil, identity.size, PROT_READ, MAP_PRIVATE, descriptor.number, 0),
      start != MAP_FAILED
    else {
      throw .unreadable(path, "a file that can be mapped", Self.reason(errno))
    }
    // SAFETY: the mapping is `identity.size` bytes long, readable, and unmapped only in `deinit`;
    // every ImageBytes made of it holds this object. The map is private, so nothing this process
    // does reaches the file. If another process shortens the file, a later read past the new end
    // raises SIGBUS: the process stops, and no foreign memory is read. If it rewrites the file,
    // bytes may change under the readers; they copy each size and offset into values before
    // checking it, so that what was checked is what is used. `checkUnchanged` reports both.
    buffer = UnsafeRawBufferPointer(start: start, count: identity.size)
  }

  deinit {
    if let start = buffer.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), buffer.count)
    }
  }

  /// The contents, held by this object.
  var bytes: ImageBytes { ImageBytes(owner: self, buffer: buffer) }

  /// Throws if the file at `path` is not what it was when it was mapped.
  func checkUnchanged(path: String) throws(ImageError) {
    var status = stat()
    guard stat(path, &status) == 0, Identity(status) == identity else {
      throw .unreadable(
        path, "a file that stays as it is while it is read",
        "a file that was changed in the meantime")
    }
  }

  /// Opens `path` for reading and makes sure that it is a regular file; the caller closes it.
  static func openRegular(
    path: String
  ) throws(ImageError) -> (number: Int32, status: stat) {
    guard !path.utf8.contains(0) else {
      throw .unreadable(path, "a path", "a path with a zero byte in it")
    }
    let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard number >= 0 else {
      throw .unreadable(path, "a readable file", reason(errno))
    }
    var status = stat()
    guard fstat(number, &status) == 0 else {
      let code = errno
      close(number)
      throw .unreadable(path, "a readable file", reason(code))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(number)
      let kind = status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "a device, pipe or socket"
      throw .unreadable(path, "a regular file", kind)
    }
    return (number, status)
  }

  /// The C library's words for an error number, in the form that messages have.
  static func reason(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text).lowercased()
  }
}
