// Instructions that write memory, as kernels use them on page-table entries. The bytes come from a
// guest; what is not recognised is not carried out. Intel SDM volume 2, 2.1 and 2.2.

/// A memory operand: [base + index * scale + displacement], or in 64-bit code relative
/// to the next instruction.
public struct MemoryOperand: Sendable {
  /// Number of the base register; `nil` for none.
  public var base: Int?
  /// Number of the index register; `nil` for none.
  public var index: Int?
  /// Binary logarithm of the index's factor.
  public var scale: UInt8 = 0
  /// What is added.
  public var displacement: Int64 = 0
  /// It counts from the end of the instruction.
  public var isRelative = false

  /// The prefix of the segment that 32-bit code means: its own, that of the stack for operands on it, or
  /// 0 for the usual one.
  public func segment(_ instruction: InstructionBytes) -> UInt8 {
    let isOnStack = base == 4 || base == 5
    return instruction.segmentPrefix != 0 ? instruction.segmentPrefix : isOnStack ? 0x36 : 0
  }

  /// The address, without a segment's base.
  public func address(registers: (Int) -> UInt64, next: UInt64) -> UInt64 {
    var address = UInt64(bitPattern: displacement)
    if isRelative { address &+= next }
    if let base { address &+= registers(base) }
    if let index { address &+= registers(index) << UInt64(scale) }
    return address
  }
}

/// One instruction that writes memory.
public struct StoreInstruction: Sendable {
  /// What it does.
  public enum Operation: Equatable, Sendable {
    /// Stores a register or an immediate.
    case move
    /// Stores a register, which gets the old value.
    case exchange
    /// Adds a register, which gets the old value.
    case exchangeAdd
    /// Stores a register if memory equals the accumulator.
    case compareExchange
    /// Stores ecx:ebx if memory equals edx:eax.
    case compareExchange8
    /// Changes what is there.
    case modify(Arithmetic)
    /// Stores the accumulator at rdi.
    case storeString
    /// Copies from rsi to rdi.
    case moveString
  }

  /// What it does.
  public var operation: Operation
  /// Bytes that it writes: 1, 2, 4 or 8.
  public var byteCount: Int
  /// Where; a string instruction has its own place.
  public var operand = MemoryOperand()
  /// The register that it stores.
  public var register = 0
  /// The register is ah, ch, dh or bh: bits 8 to 15 of `register`.
  public var isHighByte = false
  /// The value instead of a register.
  public var immediate: UInt64?
  /// It has a repeat prefix, and counts in rcx.
  public var isRepeated = false

  /// Decodes what follows an opcode; `nil` for what does not write memory in one of these ways.
  public init?(_ instruction: inout InstructionBytes) {
    guard !instruction.hasAddressSizePrefix else { return nil }
    let opcode = instruction.opcode
    let isByte = opcode & 1 == 0
    let wide = instruction.rex & 8 != 0 ? 8 : instruction.hasOperandSizePrefix ? 2 : 4
    byteCount = isByte ? 1 : wide
    switch opcode {
    case 0xaa, 0xab, 0xa4, 0xa5:
      guard !instruction.hasLock else { return nil }
      operation = opcode & 0xfe == 0xaa ? .storeString : .moveString
      isRepeated = instruction.repeatPrefix != 0
      return
    case 0xa2, 0xa3:
      guard !instruction.hasLock, instruction.repeatPrefix == 0,
        let offset = instruction.signed(byteCount: instruction.is32Bit ? 4 : 8)
      else { return nil }
      operation = .move
      operand.displacement = offset
      return
    case 0x88, 0x89, 0xc6, 0xc7, 0x0fc3: operation = .move
    case 0x86, 0x87: operation = .exchange
    case 0x0fc0, 0x0fc1: operation = .exchangeAdd
    case 0x0fb0, 0x0fb1: operation = .compareExchange
    case 0x0fc7: operation = .compareExchange8
    case 0x00...0x31 where opcode & 6 == 0:
      guard let found = Arithmetic(rawValue: UInt8(opcode >> 3)) else { return nil }
      operation = .modify(found)
    case 0x0fab: operation = .modify(.setBit)
    case 0x0fb3: operation = .modify(.resetBit)
    case 0x0fbb: operation = .modify(.complementBit)
    // Which operation stands in the ModRM byte.
    case 0x80, 0x81, 0x83, 0xf6, 0xf7, 0xfe, 0xff, 0x0fba: operation = .modify(.or)
    default: return nil
    }
    guard instruction.repeatPrefix == 0, let modRM = instruction.next(),
      let operand = instruction.memoryOperand(modRM)
    else { return nil }
    self.operand = operand
    register = instruction.registerField(modRM)
    if byteCount == 1 && instruction.rex == 0 && register >= 4 {
      register -= 4
      isHighByte = true
    }
    guard finish(&instruction, group: modRM >> 3 & 7, wide: wide) else { return nil }
    // A locked move does not exist.
    if instruction.hasLock && operation == .move { return nil }
  }

  /// What depends on the ModRM byte's middle field, and immediates.
  private mutating func finish(
    _ instruction: inout InstructionBytes, group: UInt8, wide: Int
  ) -> Bool {
    switch instruction.opcode {
    case 0xc6, 0xc7:
      guard group == 0 else { return false }
      return takeImmediate(&instruction, byteCount: min(byteCount, 4))
    case 0x0fc3:
      byteCount = wide
      return wide != 2
    case 0x0fc7:
      byteCount = 8
      return group == 1 && wide == 4
    case 0x80, 0x81, 0x83:
      guard let found = Arithmetic(rawValue: group), group != 7 else { return false }
      operation = .modify(found)
      let isShort = instruction.opcode != 0x81
      return takeImmediate(&instruction, byteCount: isShort ? 1 : min(byteCount, 4))
    case 0xf6, 0xf7:
      guard group == 2 || group == 3 else { return false }
      operation = .modify(group == 2 ? .invert : .negate)
      immediate = 0
    case 0xfe, 0xff:
      guard group < 2 else { return false }
      operation = .modify(group == 0 ? .increment : .decrement)
      immediate = 0
    case 0x0fba:
      guard group >= 5 else { return false }
      byteCount = wide
      operation = .modify(group == 5 ? .setBit : group == 6 ? .resetBit : .complementBit)
      return takeImmediate(&instruction, byteCount: 1)
    case 0x0fab, 0x0fb3, 0x0fbb:
      byteCount = wide
    default: break
    }
    return true
  }

  private mutating func takeImmediate(
    _ instruction: inout InstructionBytes, byteCount: Int
  ) -> Bool {
    guard let value = instruction.signed(byteCount: byteCount) else { return false }
    immediate = UInt64(bitPattern: value)
    return true
  }

  /// How far a bit's number in a register moves the operand: bts and its like reach beyond it.
  public func bitOffset(registers: (Int) -> UInt64) -> UInt64 {
    guard immediate == nil, case .modify(let arithmetic) = operation, arithmetic.rawValue >= 12
    else { return 0 }
    let bits = UInt64(64 - byteCount * 8)
    let number = Int64(bitPattern: registers(register) << bits) >> Int64(bits)
    let shift = Int64(byteCount.trailingZeroBitCount + 3)
    return UInt64(bitPattern: (number >> shift) &* Int64(byteCount))
  }
}

extension InstructionBytes {
  /// Takes the memory operand of a ModRM byte, with SIB byte and displacement; `nil` for a register.
  public mutating func memoryOperand(_ modRM: UInt8) -> MemoryOperand? {
    let mode = modRM >> 6
    guard mode != 3 else { return nil }
    var operand = MemoryOperand()
    var displacementCount = mode == 1 ? 1 : mode == 2 ? 4 : 0
    if modRM & 7 == 4 {
      guard let sib = next() else { return nil }
      let index = Int(sib >> 3 & 7 | (rex & 2) << 2)
      if index != 4 { operand.index = index }
      operand.scale = sib >> 6
      if mode == 0 && sib & 7 == 5 {
        displacementCount = 4
      } else {
        operand.base = baseField(sib)
      }
    } else if mode == 0 && modRM & 7 == 5 {
      displacementCount = 4
      operand.isRelative = !is32Bit
    } else {
      operand.base = baseField(modRM)
    }
    if displacementCount > 0 {
      guard let displacement = signed(byteCount: displacementCount) else { return nil }
      operand.displacement = displacement
    }
    return operand
  }
}
