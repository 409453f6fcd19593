// Calls and jumps through a 32-bit guest's call gates. Long mode has gates to 64-bit code alone, so each
// use of one faults; here is done what the processor would have done.
//
//     the inner ring's stack:  eip, cs, parameters, esp, ss of the outer one

import CMachine
import CXenABI
import HypervisorCore
import X86

extension GuestProcessor {
  /// Carries out the far transfer that has faulted with the selector of a call gate in its error code;
  /// false where it is none.
  ///
  /// A guest could change the instruction or the gate meanwhile: both are read once, and whatever they
  /// say leads to code of the guest's own rings.
  @inline(never)
  mutating func passGate(_ errorCode: UInt32, _ frame: FramePointer) -> Bool {
    // Of a 16-bit stack only the low half of esp would count.
    guard xg_access_rights(UInt32(truncatingIfNeeded: frame.pointee.ss)) & 1 << 22 != 0,
      var instruction = compatInstruction(at: frame), !instruction.hasLock,
      let transfer = FarTransfer(&instruction),
      let used = selector(of: transfer, instruction, frame), UInt32(used & ~3) == errorCode,
      let gate = descriptor(used).flatMap({ CallGate($0) })
    else { return false }
    let passage = gate.passage(
      isCall: transfer.isCall, by: used, from: frame.pointee.cs & 3, to: descriptor(gate.selector))
    let next = UInt32(truncatingIfNeeded: frame.pointee.rip) &+ UInt32(instruction.length)
    let place = frame.pointee.rip
    switch passage {
    case .fault(let vector, let errorCode):
      deliver(vector, frame, errorCode: errorCode)
      return true
    case .sameRing(let selector):
      if transfer.isCall, let fault = pushReturn(to: next, frame) { return finish(fault, frame) }
      frame.pointee.cs = UInt64(selector)
    case .innerRing(let selector):
      // The kernel has named a stack for ring 1 alone.
      guard selector & 3 == kernelStackSelector & 3 else {
        deliver(Vector.invalidTSS, frame, errorCode: UInt32(kernelStackSelector & ~3))
        return true
      }
      if let fault = enterInner(selector, gate, next, frame) { return finish(fault, frame) }
    }
    frame.pointee.rip = UInt64(gate.offset)
    guest.pointee.record.pointee.count(transfer.isCall ? "far-call" : "far-jump", at: place)
    finishInstruction(length: 0, frame)
    return true
  }

  /// Gives the guest the fault of memory that a transfer touches.
  private mutating func finish(_ fault: Emulation, _ frame: FramePointer) -> Bool {
    guard case .faultAt(let address, let code) = fault else { return false }
    deliverPageFault(address, code, frame)
    return true
  }

  /// The descriptor that a selector names, of a page of the LDT that was not used before as well.
  private mutating func descriptor(_ selector: UInt16) -> SegmentDescriptor? {
    if let found = Self.descriptor(selector) { return found }
    guard selector & 4 != 0, UInt64(selector & ~7) < xg_this_cpu().pointee.ldt_entries * 8,
      fillLocalTable(at: UInt64(selector & ~7))
    else { return nil }
    return Self.descriptor(selector)
  }

  /// The selector that a transfer names; nil where it lies in memory that cannot be read.
  private mutating func selector(
    of transfer: FarTransfer, _ instruction: InstructionBytes, _ frame: FramePointer
  ) -> UInt16? {
    if let selector = transfer.selector { return selector }
    let offset = transfer.operand.address(registers: { frame[register: $0] }, next: 0)
    let place = compatAddress(
      transfer.operand.segment(instruction), offset &+ UInt64(transfer.offsetSize), frame)
    guard refuseKernelMemory(place, 2, isWrite: false, frame) == nil else { return nil }
    return GuestMemory.load(UInt16(0), from: place)
  }

  /// Leaves the way back on the stack of the ring that stays; its fault, or nil.
  private mutating func pushReturn(to next: UInt32, _ frame: FramePointer) -> Emulation? {
    let bottom = UInt32(truncatingIfNeeded: frame.pointee.rsp) &- 8
    let place = stackAddress(bottom, frame)
    let words: InlineArray<2, UInt32> = [next, UInt32(frame.pointee.cs & 0xffff)]
    if let fault = refuseKernelMemory(place, 8, isWrite: true, frame) { return fault }
    guard GuestMemory.store(words, to: place) else { return fault(at: place, 8, isWrite: true) }
    frame.pointee.rsp = UInt64(bottom)
    return nil
  }

  /// Goes to the kernel's stack with what a call takes along; the fault of the outer stack, or nil.
  private mutating func enterInner(
    _ selector: UInt16, _ gate: CallGate, _ next: UInt32, _ frame: FramePointer
  ) -> Emulation? {
    let count = gate.parameterCount
    var words = InlineArray<35, UInt32>(repeating: 0)
    let outer = UInt32(truncatingIfNeeded: frame.pointee.rsp)
    let from = stackAddress(outer, frame)
    if count > 0 {
      if let fault = refuseKernelMemory(from, count * 4, isWrite: false, frame) { return fault }
      let isRead = withUnsafeMutableBytes(of: &words) { bytes in
        // SAFETY: 31 words at most, behind two of 35.
        guard let base = bytes.baseAddress else { return false }
        return GuestMemory.read(base + 8, from: from, count: count * 4)
      }
      guard isRead else { return fault(at: from, count * 4, isWrite: false) }
    }
    words[0] = next
    words[1] = UInt32(frame.pointee.cs & 0xffff)
    words[count + 2] = outer
    words[count + 3] = UInt32(frame.pointee.ss & 0xffff)
    let size = (count + 4) * 4
    let bottom = UInt32(truncatingIfNeeded: kernelStack) &- UInt32(size)
    let place = GuestVirtualAddress(UInt64(segmentBase(kernelStackSelector) &+ bottom))
    let isWritten = withUnsafeBytes(of: words) { bytes in
      guard let base = bytes.baseAddress else { return false }
      return GuestMemory.write(base, to: place, count: size)
    }
    guard isWritten else { Self.refuseStack(frame) }
    frame.pointee.cs = UInt64(selector)
    frame.pointee.ss = UInt64(kernelStackSelector)
    frame.pointee.rsp = UInt64(bottom)
    if !isKernelMode, isRunstateStale { Work.request(Work.runstate) }
    noteCompatMode(frame)
    return nil
  }

  /// The page fault of a range that could not be touched.
  ///
  /// In one that is not the guest's nothing was touched: CR2 has somebody else's last fault.
  private mutating func fault(
    at place: GuestVirtualAddress, _ byteCount: Int, isWrite: Bool
  ) -> Emulation {
    let isOwn = Host.hypervisor.isOwnRange(place, byteCount: UInt64(byteCount), of: domain)
    return .faultAt(isOwn ? xg_read_cr2() : place.value, isWrite ? 2 : 0)
  }

  private mutating func stackAddress(_ offset: UInt32, _ frame: FramePointer) -> GuestVirtualAddress
  {
    let base = segmentBase(UInt16(truncatingIfNeeded: frame.pointee.ss))
    return GuestVirtualAddress(UInt64(base &+ offset))
  }

  /// The page fault of a range that is the kernel's, where the guest is in its ring 3; else nil.
  ///
  /// The hypervisor touches memory as a supervisor, to whom pages of ring 1 are open: user mode would
  /// reach its kernel's memory by an instruction that is carried out in its stead.
  mutating func refuseKernelMemory(
    _ address: GuestVirtualAddress, _ byteCount: Int, isWrite: Bool, _ frame: FramePointer
  ) -> Emulation? {
    guard is32Bit, frame.pointee.cs & 3 == 3, let top = core.pointee.kernelTable else { return nil }
    let domain = domain
    CoreLock.take(domain)
    let found = Host.hypervisor.firstKernelAddress(in: address, byteCount: byteCount, under: top)
    CoreLock.release(domain)
    return found.map { .faultAt($0.value, isWrite ? 3 : 1) }
  }
}
