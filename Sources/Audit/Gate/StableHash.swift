// A hash that is the same on every machine and in every run, for fingerprints. It guards against
// accidents only: whoever can choose a kernel's function names may collide two of them, and then
// hides his own finding from his own gate.

/// FNV-1a over 64 bits (Fowler, Noll, Vo), fed part by part.
public struct StableHash: Sendable {
  /// The hash of everything fed up to here.
  public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  public init() {}

  /// Feeds one part; a separator follows, so that `ab`, `c` and `a`, `bc` differ.
  public mutating func feed(_ part: String) {
    for byte in part.utf8 { feed(byte) }
    feed(0xFF)
  }

  /// 16 lowercase hexadecimal digits.
  public var hex: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits
  }

  private mutating func feed(_ byte: UInt8) {
    value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
  }
}
