// in, out, ins, outs, cli and sti of a guest, carried out in its stead.

import CMachine
import CXenABI
import HypervisorCore
import X86

/// Ports as the machine has them.
private enum Port {
  static func read(_ port: UInt16, byteCount: Int) -> UInt32 {
    switch byteCount {
    case 1: UInt32(xg_in8(port))
    case 2: UInt32(xg_in16(port))
    default: xg_in32(port)
    }
  }

  static func write(_ port: UInt16, _ value: UInt32, byteCount: Int) {
    switch byteCount {
    case 1: xg_out8(port, UInt8(truncatingIfNeeded: value))
    case 2: xg_out16(port, UInt16(truncatingIfNeeded: value))
    default: xg_out32(port, value)
    }
  }
}

extension InstructionBytes {
  /// Bytes that a port instruction moves: its opcode's lowest bit, and the prefix.
  fileprivate var portByteCount: Int { opcode & 1 == 0 ? 1 : hasOperandSizePrefix ? 2 : 4 }
}

extension GuestProcessor {
  /// Reads all ones from what is not the domain's.
  private mutating func readPort(_ port: UInt16, byteCount: Int) -> UInt32 {
    owns(port: port, byteCount: byteCount)
      ? Port.read(port, byteCount: byteCount) : UInt32.max >> UInt32(32 - byteCount * 8)
  }

  /// Writes nothing to what is not the domain's, nor to timer channels but the speaker's.
  private mutating func writePort(_ port: UInt16, _ value: UInt32, byteCount: Int) {
    guard owns(port: port, byteCount: byteCount) else { return }
    let timerControl = 0x43
    let holdsControl = Int(port) <= timerControl && Int(port) + byteCount > timerControl
    if holdsControl && (port != timerControl || value & 0xc0 != 0x80) { return }
    Port.write(port, value, byteCount: byteCount)
  }

  /// `in` and `out`.
  mutating func portInstruction(
    _ instruction: inout InstructionBytes, _ frame: FramePointer
  ) -> Emulation {
    var port = UInt16(truncatingIfNeeded: frame.pointee.rdx)
    if instruction.opcode & 8 == 0 {
      guard let immediate = instruction.next() else { return .refused }
      port = UInt16(immediate)
    }
    let byteCount = instruction.portByteCount
    guard instruction.repeatPrefix == 0, mayName(port: port, byteCount: byteCount) else {
      return .refused
    }
    if instruction.opcode & 2 == 0 {
      let value = UInt64(readPort(port, byteCount: byteCount))
      let kept: UInt64 = byteCount == 1 ? ~0xff : byteCount == 2 ? ~0xffff : 0
      frame.pointee.rax = frame.pointee.rax & kept | value
    } else {
      writePort(port, UInt32(truncatingIfNeeded: frame.pointee.rax), byteCount: byteCount)
    }
    return finish(instruction, port, byteCount, frame)
  }

  /// Ends a port instruction, which may have met a breakpoint.
  private mutating func finish(
    _ instruction: InstructionBytes, _ port: UInt16, _ byteCount: Int, _ frame: FramePointer
  ) -> Emulation {
    let met = debug.conditions(
      onPort: port, byteCount: byteCount, hasExtensions: controls & 1 << 3 != 0)
    if met == 0 { return .done }
    finishInstruction(length: instruction.length, frame, met: met)
    return .unfinished
  }

  /// `ins` and `outs`, one element at a time.
  ///
  /// A repeated one runs again for the next, so that no count keeps the hypervisor busy.
  mutating func portString(
    _ instruction: inout InstructionBytes, _ frame: FramePointer
  ) -> Emulation {
    let port = UInt16(truncatingIfNeeded: frame.pointee.rdx)
    let byteCount = instruction.portByteCount
    let isInput = instruction.opcode & 2 == 0
    guard !instruction.hasAddressSizePrefix, mayName(port: port, byteCount: byteCount) else {
      return .refused
    }
    let isRepeated = instruction.repeatPrefix != 0
    if is32Bit { frame.pointee.narrowStringRegisters() }
    if isRepeated && frame.pointee.rcx == 0 { return .done }
    var address = isInput ? frame.pointee.rdi : frame.pointee.rsi
    if is32Bit {
      // The destination's segment is ES whatever the prefix.
      address = compatAddress(isInput ? 0x26 : instruction.segmentPrefix, address, frame).value
    } else if !isInput {
      address &+= segmentBase(instruction.segmentPrefix)
    }
    guard
      Host.hypervisor.isOwnRange(
        GuestVirtualAddress(address), byteCount: UInt64(byteCount), of: domain)
    else {
      return .refused
    }
    if let fault = refuseKernelMemory(
      GuestVirtualAddress(address), byteCount, isWrite: isInput, frame)
    {
      return fault
    }
    if let fault = move(port, byteCount, isInput, GuestVirtualAddress(address)) { return fault }
    let step = UInt64(
      bitPattern: Int64(frame.pointee.rflags & 1 << 10 == 0 ? byteCount : -byteCount))
    if isInput { frame.pointee.rdi &+= step } else { frame.pointee.rsi &+= step }
    if isRepeated { frame.pointee.rcx &-= 1 }
    if is32Bit { frame.pointee.narrowStringRegisters() }
    if isRepeated, frame.pointee.rcx != 0 { return .unfinished }
    return finish(instruction, port, byteCount, frame)
  }

  /// Moves one element; answers the fault of its memory.
  private mutating func move(
    _ port: UInt16, _ byteCount: Int, _ isInput: Bool, _ address: GuestVirtualAddress
  ) -> Emulation? {
    var value: UInt32 = 0
    if isInput {
      // A port whose value could go nowhere must not be read: reading may change the device.
      guard GuestMemory.read(&value, from: address, count: byteCount) else {
        return .faultAt(xg_read_cr2(), 2)
      }
      value = readPort(port, byteCount: byteCount)
      return GuestMemory.write(&value, to: address, count: byteCount)
        ? nil : .faultAt(xg_read_cr2(), 2)
    }
    guard GuestMemory.read(&value, from: address, count: byteCount) else {
      return .faultAt(xg_read_cr2(), 0)
    }
    writePort(port, value, byteCount: byteCount)
    return nil
  }

  /// What a segment prefix adds to an address in 64-bit mode.
  mutating func segmentBase(_ prefix: UInt8) -> UInt64 {
    switch prefix {
    case 0x64: xg_rdmsr(MSR.fsBase)
    case 0x65: xg_rdmsr(MSR.gsBase)
    default: 0
    }
  }

  /// `cli` and `sti`: allowed by I/O privilege, and without effect, as events have a mask of their
  /// own.
  mutating func switchInterrupts() -> Emulation { hasPortPrivilege ? .done : .refused }
}
