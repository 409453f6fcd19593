// The machine's second serial line, where the guest of a toolstack has its console: a file that QEMU
// writes while this reads.

import Foundation

/// Reads what is added to the file.
struct SecondLine {
  /// What the file is called in the folder of ``Staging``.
  static let name = "console"
  /// As much is read at once.
  private static let most = 1 << 20

  private let path: String
  private var file: FileHandle?
  private var heldReturn = false

  /// The file need not be there yet.
  init(folder: URL) {
    path = folder.appending(path: Self.name).path
  }

  /// The bytes that have come since the last call, with a newline alone where a carriage return and
  /// a newline were.
  mutating func take() -> [UInt8] {
    if file == nil { file = FileHandle(forReadingAtPath: path) }
    guard let data = try? file?.read(upToCount: Self.most) else { return [] }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(data.count + 1)
    for byte in data {
      if heldReturn, byte != 0x0A { bytes.append(0x0D) }
      heldReturn = byte == 0x0D
      if !heldReturn { bytes.append(byte) }
    }
    return bytes
  }
}
