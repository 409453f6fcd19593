// A line of the console that says what went wrong is a text of the kernel's image; whoever reads it
// wants the code that printed it.

import Harness
import KernelImage

/// Finds the code that names a text.
struct ConsoleText {
  private static let mostPlaces = 4
  /// Bytes that a line and a text must have in common: less is found anywhere.
  private static let least = 12
  private static let gram = 8

  let image: KernelImage

  /// Places in the code of the kernel at a path that name the text of a line; the last line's that
  /// has any.
  static func places(in lines: some Collection<String>, kernel: String) -> [CodePlace] {
    guard !lines.isEmpty, let image = try? KernelImage.open(path: kernel) else { return [] }
    let text = Self(image: image)
    let users = lines.reversed().lazy.map(text.users).first { !$0.isEmpty } ?? []
    guard !users.isEmpty, let symbols = GuestSymbols(kernel: kernel) else { return [] }
    return symbols.locate(users.prefix(mostPlaces).map(CodePlace.init(address:)))
  }

  /// Addresses in the code that name the longest text that it has in common with a line.
  func users(of line: String) -> [UInt64] {
    var bytes = Array(line.utf8)
    while bytes.last == 0x0d { bytes.removeLast() }
    return text(in: bytes).map(code(naming:)) ?? []
  }

  /// The address of the text, from its first byte on, that shares the most bytes in a row with a line.
  private func text(in line: [UInt8]) -> UInt64? {
    guard line.count >= Self.least else { return nil }
    var grams: [UInt64: [Int]] = [:]
    for start in 0...(line.count - Self.gram) {
      grams[Self.word(line[start..<start + Self.gram]), default: []].append(start)
    }
    var best = (length: Self.least - 1, address: UInt64?.none)
    for section in image.sections where section.isAllocated && !section.isExecutable {
      let bytes = section.bytes.buffer
      guard bytes.count >= Self.gram else { continue }
      var window: UInt64 = 0
      for end in bytes.indices {
        window = window << 8 | UInt64(bytes[end])
        guard end >= Self.gram - 1, let starts = grams[window] else { continue }
        let begin = end - Self.gram + 1
        for start in starts {
          // Not where the same run was found a byte before.
          if start > 0, begin > 0, bytes[begin - 1] == line[start - 1] { continue }
          let length = zip(bytes[begin...], line[start...]).prefix { $0 == $1 }.count
          guard length > best.length else { continue }
          var first = begin
          while first > 0, bytes[first - 1] != 0 { first -= 1 }
          best = (length, section.address + UInt64(first))
        }
      }
    }
    return best.address
  }

  private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Addresses of code at which four bytes name an address, as it stands or from where they end.
  private func code(naming address: UInt64) -> [UInt64] {
    var users: [UInt64] = []
    let low = UInt32(truncatingIfNeeded: address)
    for section in image.sections where section.isAllocated && section.isExecutable {
      let bytes = section.bytes.buffer
      guard bytes.count >= 4 else { continue }
      for offset in 0...(bytes.count - 4) {
        let word = UInt32(
          littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        let here = section.address + UInt64(offset)
        if word == low || here &+ 4 &+ UInt64(bitPattern: Int64(Int32(bitPattern: word))) == address
        {
          users.append(here)
        }
      }
    }
    return users
  }
}
