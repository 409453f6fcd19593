// Hexadecimal numbers as hypervisors print them and as we do.

/// Reading and writing of hexadecimal numbers.
enum Hex {
  /// `0x` and as many digits as needed.
  static func text(_ value: UInt64) -> String {
    "0x" + String(value, radix: 16)
  }

  /// The digits alone.
  static func digits(_ value: UInt64) -> String {
    String(value, radix: 16)
  }

  /// The number in `text`, with or without `0x`; `nil` where it is none.
  static func value(_ text: some StringProtocol) -> UInt64? {
    let digits = text.hasPrefix("0x") ? String(text.dropFirst(2)) : String(text)
    return digits.utf8.allSatisfy { $0 != 0x2B && $0 != 0x2D } ? UInt64(digits, radix: 16) : nil
  }
}
