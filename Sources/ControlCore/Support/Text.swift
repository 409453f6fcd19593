// Text as bytes: the store and its keys are ASCII, and a string type of more than that would only
// cost. Everything here may be handed bytes that a guest has written.

/// Bytes, most often text of the store.
public typealias Bytes = [UInt8]

extension Array where Element == UInt8 {
  /// The bytes of a literal.
  public init(_ literal: StaticString) {
    self = literal.withUTF8Buffer { Bytes($0) }
  }

  /// A number in decimal digits.
  public init(decimal number: UInt64) {
    var digits = Bytes()
    var rest = number
    repeat {
      digits.append(UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0"))
      rest /= 10
    } while rest > 0
    digits.reverse()
    self = digits
  }

  /// The number that the bytes spell in decimal digits, and in nothing else.
  ///
  /// A guest may write signs, spaces, no digit at all, or more digits than fit: all of these are
  /// `nil`.
  public var decimal: UInt64? {
    guard !isEmpty, count <= 20 else { return nil }
    var number: UInt64 = 0
    for byte in self {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let (product, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      guard !overflow, !carry else { return nil }
      number = sum
    }
    return number
  }

  /// The number that a sign and the digits in front spell, as xenstored reads it: the lower 32 bits; 0
  /// where there are no digits, all bits where there are too many.
  public var looseNumber: UInt32 {
    let isNegative = first == UInt8(ascii: "-")
    let digits = Bytes(
      dropFirst(isNegative ? 1 : 0).prefix {
        $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")
      })
    let number = UInt32(truncatingIfNeeded: digits.decimal ?? (digits.isEmpty ? 0 : .max))
    return isNegative ? 0 &- number : number
  }

  /// Whether the bytes are those of a literal.
  public func equals(_ literal: StaticString) -> Bool {
    literal.withUTF8Buffer { text in
      guard text.count == count else { return false }
      for index in 0..<count where self[index] != text[index] { return false }
      return true
    }
  }

  /// Whether the bytes begin with others.
  public func begins(with start: Bytes) -> Bool {
    guard start.count <= count else { return false }
    for index in 0..<start.count where self[index] != start[index] { return false }
    return true
  }

  /// Adds the bytes of a literal.
  public mutating func append(_ literal: StaticString) {
    literal.withUTF8Buffer { append(contentsOf: $0) }
  }
}
