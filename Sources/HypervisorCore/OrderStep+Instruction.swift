// Which instructions are barriers (Intel SDM volume 3, 9.2), and what they read or write.

public import X86

extension OrderStep {
  /// What the instruction that the bytes begin with means for the order.
  public init(_ bytes: FetchedBytes) {
    self = .plain
    guard let instruction = InstructionBytes(bytes) else { return }
    let following = instruction.following ?? 0
    let isInMemory = following >> 6 != 3
    switch instruction.opcode {
    case 0x0f05: self = .hypercall
    // mfence, which shares its opcode with others.
    case 0x0fae where following >> 3 & 7 == 6: self = .barrier
    case 0x0fa2: self = .barrier
    // xchg with memory locks by itself.
    case 0x86, 0x87: self = isInMemory ? .barrier : .plain
    default: if instruction.hasLock { self = .barrier }
    }
  }

}

/// A place in memory that an instruction reads or writes.
public struct OrderAccess: Sendable {
  /// The place, or where `isRelative` its distance from the instruction's end.
  public var address: UInt64
  public var isRelative: Bool
  public var byteCount: Int

  /// Whether it reaches a byte, once the end of the instruction is known.
  func covers(_ byte: UInt64, end: UInt64) -> Bool {
    let start = isRelative ? address &+ end : address
    return byte &- start < UInt64(byteCount)
  }

  /// The operand in memory of the instruction that the bytes begin with; `nil` for none.
  public init?(_ bytes: FetchedBytes, registers: (Int) -> UInt64) {
    guard var instruction = InstructionBytes(bytes), instruction.segmentPrefix == 0,
      !instruction.hasAddressSizePrefix, Self.hasOperand(instruction.opcode),
      let modRM = instruction.next(), let operand = instruction.memoryOperand(modRM)
    else { return nil }
    isRelative = operand.isRelative
    address = operand.address(registers: registers, next: 0)
    let wide = instruction.rex & 8 != 0 ? 8 : instruction.hasOperandSizePrefix ? 2 : 4
    switch instruction.opcode {
    case 0x0fb6, 0x0fbe: byteCount = 1
    case 0x0fb7, 0x0fbf: byteCount = 2
    case 0x63: byteCount = 4
    default:
      byteCount =
        instruction.opcode & 1 == 0 && !(0x0f40...0x0f4f ~= instruction.opcode)
        ? 1 : wide
    }
  }

  /// Instructions on general registers that have a ModRM byte, and read or write what it names.
  private static func hasOperand(_ opcode: UInt16) -> Bool {
    switch opcode {
    case 0x00...0x3b: opcode & 4 == 0
    case 0x63, 0x69, 0x6b, 0x80...0x8b, 0xc0, 0xc1, 0xc6, 0xc7, 0xd0...0xd3, 0xf6, 0xf7, 0xfe, 0xff:
      true
    case 0x0f40...0x0f4f, 0x0fa3, 0x0faf, 0x0fb0, 0x0fb1, 0x0fb6, 0x0fb7, 0x0fba, 0x0fbe, 0x0fbf,
      0x0fc0, 0x0fc1:
      true
    default: false
    }
  }
}

extension OrderStep {
  /// Whether the eight bytes of code before an address may end with an exchange with memory: a store
  /// that is its own barrier.
  ///
  /// Code cannot be read backwards: bytes that only look like one are taken for it.
  public static func isExchange(behind bytes: UInt64) -> Bool {
    for length in UInt64(2)...7 {
      let tail = bytes >> (64 - length * 8)
      let opcode = tail & 0xff
      guard opcode == 0x87 || opcode == 0x86 else { continue }
      let modRM = tail >> 8 & 0xff
      let (mode, base) = (modRM >> 6, modRM & 7)
      guard mode != 3 else { continue }
      let hasIndex = base == 4
      var size: UInt64 = hasIndex ? 3 : 2
      if mode == 1 { size += 1 }
      // Without a base register there are four bytes of address.
      let last = hasIndex ? tail >> 16 & 7 : base
      if mode == 2 || mode == 0 && last == 5 { size += 4 }
      if size == length { return true }
    }
    return false
  }
}
