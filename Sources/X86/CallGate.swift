// Call gates of 32-bit guests, which long mode does not have: each use faults, and what the processor
// would have done is worked out here. Intel SDM volume 3, 5.8.3 to 5.8.5, and volume 2, CALL.

/// A present call gate of 32 bits in a checked descriptor table, where its level is the selector's RPL.
public struct CallGate: Hashable, Sendable {
  /// The code segment that it leads to, without RPL.
  public var selector: UInt16
  /// The outermost ring that may use it.
  public var level: UInt64
  /// Where it leads to.
  public var offset: UInt32
  /// Words of 32 bits that a call into an inner ring takes along, 0 to 31.
  public var parameterCount: Int

  /// The gate that a descriptor is; nil for another.
  public init?(_ descriptor: SegmentDescriptor) {
    guard descriptor.isPresent, !descriptor.isCodeOrData, descriptor.type == 0xc else { return nil }
    let word = UInt16(truncatingIfNeeded: descriptor.rawValue >> 16)
    selector = word & ~3
    level = UInt64(word & 3)
    offset = UInt32(
      truncatingIfNeeded: descriptor.rawValue & 0xffff | descriptor.rawValue >> 32 & 0xffff_0000)
    parameterCount = Int(descriptor.rawValue >> 32 & 31)
  }
}

/// What comes of a call or jump through a gate.
public enum GatePassage: Hashable, Sendable {
  /// An exception, with its error code.
  case fault(vector: UInt32, errorCode: UInt32)
  /// On in the ring that it comes from, with this code segment.
  case sameRing(UInt16)
  /// A call into an inner ring, and that ring's stack.
  case innerRing(UInt16)
}

extension CallGate {
  /// What a transfer by `used`, which names this gate, comes to from ring `ring`.
  ///
  /// `target` is the descriptor of the gate's code segment; nil where no table has it.
  public func passage(
    isCall: Bool, by used: UInt16, from ring: UInt64, to target: SegmentDescriptor?
  ) -> GatePassage {
    func refuse(_ vector: UInt32, _ selector: UInt16) -> GatePassage {
      .fault(vector: vector, errorCode: UInt32(selector & ~3))
    }
    guard max(ring, UInt64(used & 3)) <= level else { return refuse(13, used) }
    guard let target, selector != 0 else { return refuse(13, selector) }
    let isConforming = target.type & 4 != 0
    guard target.isCodeOrData, target.type & 8 != 0, target.privilegeLevel <= ring,
      isCall || isConforming || target.privilegeLevel == ring
    else { return refuse(13, selector) }
    guard target.isPresent else { return refuse(11, selector) }
    guard UInt64(offset) <= target.lastOffset else { return refuse(13, 0) }
    if isConforming || target.privilegeLevel == ring {
      return .sameRing(selector | UInt16(ring))
    }
    return .innerRing(selector | UInt16(target.privilegeLevel))
  }
}

/// A far call or jump of 32-bit code.
public struct FarTransfer: Sendable {
  /// It leaves a way back on the stack.
  public var isCall: Bool
  /// The selector where it stands in the instruction.
  public var selector: UInt16?
  /// Where else offset and selector lie.
  public var operand = MemoryOperand()
  /// Bytes of the offset, which lies before the selector.
  public var offsetSize: Int

  /// Decodes what follows an opcode; nil for another instruction.
  public init?(_ instruction: inout InstructionBytes) {
    guard !instruction.hasAddressSizePrefix else { return nil }
    offsetSize = instruction.hasOperandSizePrefix ? 2 : 4
    switch instruction.opcode {
    case 0x9a, 0xea:
      isCall = instruction.opcode == 0x9a
      guard instruction.signed(byteCount: offsetSize) != nil,
        let selector = instruction.signed(byteCount: 2)
      else { return nil }
      self.selector = UInt16(truncatingIfNeeded: selector)
    case 0xff:
      guard let modRM = instruction.next(), modRM >> 3 & 7 == 3 || modRM >> 3 & 7 == 5,
        let operand = instruction.memoryOperand(modRM)
      else { return nil }
      isCall = modRM >> 3 & 7 == 3
      self.operand = operand
    default: return nil
    }
  }
}
