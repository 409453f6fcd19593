// Text out of and into xenstore: bytes, since nothing says that they are Unicode. What a backend wrote
// is parsed here: nothing is assumed of it.

/// A path, a key or a value.
public struct Text: Equatable, ExpressibleByStringLiteral {
  /// Paths have fewer bytes than this.
  public static var pathMax: Int { 160 }

  /// As they stand in the store, without a zero at the end.
  public var bytes: [UInt8]

  /// Text of these bytes.
  public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  /// The bytes of a literal.
  public init(stringLiteral literal: StaticString) {
    bytes = literal.withUTF8Buffer { Array($0) }
  }

  /// A number in decimal.
  public init(number: UInt64) {
    bytes = []
    var rest = number
    repeat {
      bytes.append(UInt8(truncatingIfNeeded: 48 + rest % 10))
      rest /= 10
    } while rest != 0
    bytes.reverse()
  }

  /// The path of a key in a directory.
  public static func / (directory: Text, key: Text) -> Text {
    Text(directory.bytes + [UInt8(ascii: "/")] + key.bytes)
  }

  /// One text behind the other.
  public static func + (first: Text, second: Text) -> Text { Text(first.bytes + second.bytes) }

  /// The whole text as a decimal number; `nil`: it is none, or too large.
  public var number: UInt64? { Self.number(bytes[...]) }

  /// The same of bytes that are no text of their own.
  static func number(_ digits: some Sequence<UInt8>) -> UInt64? {
    var sum: UInt64?
    for digit in digits {
      guard digit >= 48, digit <= 57 else { return nil }
      let tens = (sum ?? 0).multipliedReportingOverflow(by: 10)
      let next = tens.partialValue.addingReportingOverflow(UInt64(digit - 48))
      if tens.overflow || next.overflow { return nil }
      sum = next.partialValue
    }
    return sum
  }

  /// Six bytes in hexadecimal with colons; `nil`: it is none.
  public var ethernetAddress: [UInt8]? {
    guard bytes.count == 17 else { return nil }
    var address: [UInt8] = []
    for start in stride(from: 0, to: 17, by: 3) {
      guard let high = Self.digit(bytes[start]), let low = Self.digit(bytes[start + 1]) else {
        return nil
      }
      if start < 15, bytes[start + 2] != UInt8(ascii: ":") { return nil }
      address.append(high << 4 | low)
    }
    return address
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
