// VMASST_TYPE_writable_pagetables: a guest kernel's store to a last-level table that it has mapped
// read-only faults, and HypervisorCore carries it out. The instruction is taken apart by X86.

import CMachine
import CXenABI
import HypervisorCore
import X86

extension GuestProcessor {
  /// Carries out a store that faulted on a present, read-only page.
  ///
  /// False where the fault is the guest's. The instruction's own address must be the one that
  /// faulted: a store that began on another page is none to an entry.
  mutating func emulateTableWrite(_ frame: FramePointer, _ address: UInt64) -> Bool {
    guard isKernelMode, assists & 1 << UInt64(VMASST_TYPE_writable_pagetables) != 0,
      var instruction = instruction(at: frame),
      let store = StoreInstruction(&instruction),
      address & UInt64(store.byteCount - 1) == 0,
      destination(store, instruction, frame) == address
    else { return false }
    let place = GuestVirtualAddress(address)
    let rip = frame.pointee.rip
    do throws(MemoryError) {
      guard try carryOut(store, at: place, instruction, frame) else { return false }
    } catch {
      guard error == .preempted else { return false }
      // The instruction runs again once the tables that wait are taken apart.
      drain()
      return true
    }
    guest.pointee.record.pointee.count("page-table-write", at: rip)
    return true
  }

  /// Where the instruction stores.
  private mutating func destination(
    _ store: StoreInstruction, _ instruction: InstructionBytes, _ frame: FramePointer
  ) -> UInt64 {
    if is32Bit { return compatDestination(store, instruction, frame) }
    switch store.operation {
    case .storeString, .moveString: return frame.pointee.rdi
    default:
      let next = frame.pointee.rip &+ UInt64(instruction.length)
      return segmentBase(instruction.segmentPrefix)
        &+ store.operand.address(registers: { frame[register: $0] }, next: next)
        &+ store.bitOffset(registers: { frame[register: $0] })
    }
  }

  /// Stores, and changes registers as the instruction does.
  private mutating func carryOut(
    _ store: StoreInstruction, at place: GuestVirtualAddress, _ instruction: InstructionBytes,
    _ frame: FramePointer
  ) throws(MemoryError) -> Bool {
    let count = store.byteCount
    let source = store.immediate ?? frame.part(store.register, count, store.isHighByte)
    switch store.operation {
    case .move: _ = try write(source, count, at: place)
    case .exchange:
      let found = try write(source, count, at: place)
      frame.setPart(store.register, found, count, store.isHighByte)
    case .compareExchange:
      let expected = frame.part(0, count, false)
      let found = try write(source, count, at: place, expected: expected)
      frame.pointee.rflags =
        Arithmetic.subtract.apply(
          expected, found, byteCount: count, flags: frame.pointee.rflags
        ).flags
      if found != expected { frame.setPart(0, found, count, false) }
    case .compareExchange8:
      let expected = frame.pointee.rax & 0xffff_ffff | frame.pointee.rdx << 32
      let value = frame.pointee.rbx & 0xffff_ffff | frame.pointee.rcx << 32
      let found = try write(value, 8, at: place, expected: expected)
      frame.pointee.rflags &= ~Self.zeroFlag
      if found == expected {
        frame.pointee.rflags |= Self.zeroFlag
      } else {
        frame.pointee.rax = found & 0xffff_ffff
        frame.pointee.rdx = found >> 32
      }
    case .exchangeAdd:
      guard let old = try modify(.add, source, count, at: place, frame) else { return false }
      frame.setPart(store.register, old, count, store.isHighByte)
    case .modify(let arithmetic):
      guard try modify(arithmetic, source, count, at: place, frame) != nil else { return false }
    case .storeString:
      _ = try write(frame.part(0, count, false), count, at: place)
      return step(store, instruction, frame)
    case .moveString:
      let from =
        is32Bit
        ? compatAddress(instruction.segmentPrefix, frame.pointee.rsi, frame)
        : GuestVirtualAddress(frame.pointee.rsi &+ segmentBase(instruction.segmentPrefix))
      var value: UInt64 = 0
      guard GuestMemory.read(&value, from: from, count: count) else { return false }
      _ = try write(value, count, at: place)
      return step(store, instruction, frame)
    }
    finishInstruction(length: instruction.length, frame)
    return true
  }

  private static let zeroFlag: UInt64 = 1 << 6

  /// Goes on with a string: with the next element where it repeats.
  private mutating func step(
    _ store: StoreInstruction, _ instruction: InstructionBytes, _ frame: FramePointer
  ) -> Bool {
    let isDown = frame.pointee.rflags & 1 << 10 != 0
    let step = UInt64(bitPattern: Int64(isDown ? -store.byteCount : store.byteCount))
    frame.pointee.rdi &+= step
    if store.operation == .moveString { frame.pointee.rsi &+= step }
    if store.isRepeated { frame.pointee.rcx &-= 1 }
    if is32Bit { frame.pointee.narrowStringRegisters() }
    if store.isRepeated {
      if frame.pointee.rcx != 0 { return true }
    }
    finishInstruction(length: instruction.length, frame)
    return true
  }

  /// Reads, changes and writes; answers the value before, and `nil` where it never stays the same.
  ///
  /// Another vcpu or the processor may change the entry in between, which shows as another value
  /// than the one that was read.
  private mutating func modify(
    _ arithmetic: Arithmetic, _ source: UInt64, _ count: Int, at place: GuestVirtualAddress,
    _ frame: FramePointer
  ) throws(MemoryError) -> UInt64? {
    var old: UInt64 = 0
    guard GuestMemory.read(&old, from: place, count: count) else { return nil }
    for _ in 0..<64 {
      let (value, flags) = arithmetic.apply(
        old, source, byteCount: count, flags: frame.pointee.rflags)
      let found = try write(value, count, at: place, expected: old)
      if found == old {
        frame.pointee.rflags = flags
        return old
      }
      old = found
    }
    return nil
  }

  private mutating func write(
    _ value: UInt64, _ count: Int, at place: GuestVirtualAddress, expected: UInt64? = nil
  ) throws(MemoryError) -> UInt64 {
    try withDomain(domain) { () throws(MemoryError) in
      try Host.hypervisor.emulateTableWrite(
        at: place, value: value, byteCount: count, expected: expected, from: caller)
    }
  }
}

extension FramePointer {
  /// The lowest bytes of a register, or its second one.
  fileprivate func part(_ number: Int, _ byteCount: Int, _ isHighByte: Bool) -> UInt64 {
    let value = self[register: number]
    return isHighByte ? value >> 8 & 0xff : value & Arithmetic.mask(byteCount: byteCount)
  }

  /// Changes them: of 4 bytes the upper half becomes 0, of fewer the rest stays.
  fileprivate func setPart(
    _ number: Int, _ value: UInt64, _ byteCount: Int, _ isHighByte: Bool
  ) {
    let old = self[register: number]
    if isHighByte {
      self[register: number] = old & ~0xff00 | (value & 0xff) << 8
    } else if byteCount >= 4 {
      self[register: number] = value & Arithmetic.mask(byteCount: byteCount)
    } else {
      let mask = Arithmetic.mask(byteCount: byteCount)
      self[register: number] = old & ~mask | value & mask
    }
  }
}
