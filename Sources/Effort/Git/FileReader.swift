// The bytes of a folder's files. Small files are read into one buffer that is used again, since
// that costs less than a map; large ones are mapped.

import Foundation

/// Reads files one after the other.
final class FileReader {
  private static let bufferSize = 4 << 20
  private let buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: FileReader.bufferSize, alignment: 16)

  deinit {
    buffer.deallocate()
  }

  /// Calls `body` with the bytes of the file; with `nil` where it is larger than any text.
  func read<Result>(
    _ path: [CChar], _ body: (UnsafeRawBufferPointer?) -> Result
  ) throws(EffortError) -> Result {
    // A pipe that took the file's place meanwhile must not be waited for.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else { throw FolderTree.unreadable(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FolderTree.unreadable(path) }
    let size = Int(status.st_size)
    if size > TextFacts.largest { return body(nil) }
    if size > buffer.count {
      guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
      else { throw FolderTree.unreadable(path) }
      defer { munmap(start, size) }
      // SAFETY: the map is `size` bytes and lives until the call returns. A file that is cut short
      // meanwhile raises SIGBUS, which the command answers with a message and exit code 2.
      return body(UnsafeRawBufferPointer(start: start, count: size))
    }
    var count = 0
    while count < buffer.count {
      let got = Foundation.read(
        descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw FolderTree.unreadable(path) }
      if got == 0 || count + got >= size {
        count += got
        break
      }
      count += got
    }
    return body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }
}
