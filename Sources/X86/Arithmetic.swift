// What the processor's integer instructions make of their operands and of the flags: Intel SDM volume 1,
// appendix A. For instructions that are carried out in a guest's stead.

/// An operation on two operands of 1, 2, 4 or 8 bytes.
public enum Arithmetic: UInt8, Sendable, CaseIterable {
  // The first eight have the numbers of their encodings; 7, cmp, stores nothing.
  /// Addition.
  case add = 0
  /// Bitwise or.
  case or = 1
  /// Addition with the carry flag.
  case addWithCarry = 2
  /// Subtraction with the carry flag.
  case subtractWithBorrow = 3
  /// Bitwise and.
  case and = 4
  /// Subtraction.
  case subtract = 5
  /// Exclusive or.
  case exclusiveOr = 6
  /// Addition of 1 that leaves the carry flag.
  case increment = 8
  /// Subtraction of 1 that leaves the carry flag.
  case decrement = 9
  /// Inversion, which changes no flag.
  case invert = 10
  /// Subtraction from 0.
  case negate = 11
  /// Sets the bit that the second operand numbers.
  case setBit = 12
  /// Clears it.
  case resetBit = 13
  /// Inverts it.
  case complementBit = 14

  private static let carry: UInt64 = 1
  private static let parity: UInt64 = 1 << 2
  private static let adjust: UInt64 = 1 << 4
  private static let zero: UInt64 = 1 << 6
  private static let sign: UInt64 = 1 << 7
  private static let overflow: UInt64 = 1 << 11
  private static let all = carry | parity | adjust | zero | sign | overflow

  /// All bits of an operand.
  public static func mask(byteCount: Int) -> UInt64 {
    byteCount >= 8 ? ~0 : 1 << UInt64(byteCount * 8) - 1
  }

  /// The result, which is stored in the place of `a`, and the flags after it.
  public func apply(
    _ a: UInt64, _ b: UInt64, byteCount: Int, flags: UInt64
  ) -> (value: UInt64, flags: UInt64) {
    let mask = Self.mask(byteCount: byteCount)
    let left = a & mask
    let right = b & mask
    let carry = flags & Self.carry
    switch self {
    case .add: return Self.sum(left, right, 0, mask, flags)
    case .addWithCarry: return Self.sum(left, right, carry, mask, flags)
    case .subtract: return Self.difference(left, right, 0, mask, flags)
    case .subtractWithBorrow: return Self.difference(left, right, carry, mask, flags)
    case .negate: return Self.difference(0, left, 0, mask, flags)
    case .increment:
      let (value, after) = Self.sum(left, 1, 0, mask, flags)
      return (value, after & ~Self.carry | carry)
    case .decrement:
      let (value, after) = Self.difference(left, 1, 0, mask, flags)
      return (value, after & ~Self.carry | carry)
    case .or: return Self.logic(left | right, mask, flags)
    case .and: return Self.logic(left & right, mask, flags)
    case .exclusiveOr: return Self.logic(left ^ right, mask, flags)
    case .invert: return (~left & mask, flags)
    case .setBit, .resetBit, .complementBit:
      let bit: UInt64 = 1 << (b & UInt64(byteCount * 8 - 1))
      let after = flags & ~Self.carry | (left & bit != 0 ? Self.carry : 0)
      switch self {
      case .setBit: return (left | bit, after)
      case .resetBit: return (left & ~bit, after)
      default: return (left ^ bit, after)
      }
    }
  }

  private static func sum(
    _ a: UInt64, _ b: UInt64, _ carry: UInt64, _ mask: UInt64, _ flags: UInt64
  ) -> (UInt64, UInt64) {
    let value = (a &+ b &+ carry) & mask
    var after = common(value, a ^ b ^ value, mask, flags)
    if value < a || carry != 0 && value == a { after |= Self.carry }
    if (a ^ value) & (b ^ value) & signBit(mask) != 0 { after |= overflow }
    return (value, after)
  }

  private static func difference(
    _ a: UInt64, _ b: UInt64, _ borrow: UInt64, _ mask: UInt64, _ flags: UInt64
  ) -> (UInt64, UInt64) {
    let value = (a &- b &- borrow) & mask
    var after = common(value, a ^ b ^ value, mask, flags)
    if a < b || borrow != 0 && a == b { after |= carry }
    if (a ^ b) & (a ^ value) & signBit(mask) != 0 { after |= overflow }
    return (value, after)
  }

  private static func logic(
    _ value: UInt64, _ mask: UInt64, _ flags: UInt64
  ) -> (UInt64, UInt64) {
    (value, common(value, 0, mask, flags))
  }

  /// The flags that depend on the result alone, and the carry out of bit 3.
  private static func common(
    _ value: UInt64, _ carries: UInt64, _ mask: UInt64, _ flags: UInt64
  ) -> UInt64 {
    var after = flags & ~all | carries & adjust
    if (value & 0xff).nonzeroBitCount & 1 == 0 { after |= parity }
    if value == 0 { after |= zero }
    if value & signBit(mask) != 0 { after |= sign }
    return after
  }

  private static func signBit(_ mask: UInt64) -> UInt64 { mask ^ mask >> 1 }
}
