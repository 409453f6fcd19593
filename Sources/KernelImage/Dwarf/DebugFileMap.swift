// A debug file mapped into memory, so that of many hundred megabytes only the pages that are read
// become resident.

import Glibc

/// Owns a private, read-only map of a regular file.
///
/// `@unchecked Sendable`: the memory is never written.
final class DebugFileMap: @unchecked Sendable {
  private let buffer: UnsafeRawBufferPointer

  init(_ path: String) throws(ImageError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    var status = stat()
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
      throw ImageError(
        .unreadable, path: path, expected: "a readable file",
        found: String(cString: strerror(errno)).lowercased())
    }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
      throw ImageError(
        .unknownFormat, path: path, expected: "an ELF file with debugging information",
        found: status.st_size == 0 ? "an empty file" : "something that is not a regular file")
    }
    let size = Int(status.st_size)
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else {
      throw ImageError(
        .unreadable, path: path, expected: "a file that can be mapped",
        found: String(cString: strerror(errno)).lowercased())
    }
    // SAFETY: the map is `size` bytes long, readable, and ends in `deinit`; `bytes` holds this object.
    buffer = UnsafeRawBufferPointer(start: start, count: size)
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: buffer.baseAddress), buffer.count)
  }

  /// The contents, held by this object.
  var bytes: ImageBytes { ImageBytes(owner: self, buffer: buffer) }
}
