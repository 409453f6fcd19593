// Texts as loaders read them: to the next zero byte, whatever size was announced.

import KernelImage

/// Reads text from an image.
enum LoaderText {
  /// Xen gives up on a text that is longer.
  static let limit = 4096

  /// The text at `offset` up to a zero byte, `nil` where none of at most `limit` bytes follows.
  static func text(in bytes: ImageBytes, at offset: UInt64, limit: Int = limit) -> String? {
    guard let start = Int(exactly: offset), start < bytes.count else { return nil }
    let rest = bytes.suffix(from: start).buffer.prefix(limit)
    guard let end = rest.firstIndex(of: 0) else { return nil }
    return String(decoding: rest[..<end], as: UTF8.self)
  }

  /// The number that C's `strtoull` with base 0 finds at the start of a text.
  static func number(_ text: String) -> UInt64 {
    var digits = Substring(text.drop { $0 == " " || $0 == "\t" })
    let isNegative = digits.first == "-"
    if isNegative || digits.first == "+" { digits = digits.dropFirst() }
    var radix: UInt64 = 10
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
      radix = 16
      digits = digits.dropFirst(2)
    } else if digits.first == "0" {
      radix = 8
    }
    var value: UInt64 = 0
    for character in digits {
      guard character.isASCII, let digit = character.hexDigitValue, digit < radix else { break }
      value = value &* radix &+ UInt64(digit)
    }
    return isNegative ? 0 &- value : value
  }
}
