// The machine that HypervisorCore works on: its protocol, by instructions and the direct map.

import CMachine
import HypervisorCore

/// The real machine.
///
/// It has no state of its own; Host and the CPU's block have it.
struct MetalMachine: Machine {
  func words(of frame: MachineFrame) -> UnsafeMutablePointer<UInt64> { DirectMap.words(of: frame) }

  func clear(_ frame: MachineFrame) { xg_clear_page(DirectMap.pointer(to: frame.address)) }

  func copy(_ source: MachineFrame, to destination: MachineFrame) {
    DirectMap.pointer(to: destination.address).copyMemory(
      from: DirectMap.pointer(to: source.address), byteCount: 4096)
  }

  func copyIn(
    _ destination: UnsafeMutableRawPointer, from source: GuestVirtualAddress, byteCount: Int
  ) throws(GuestMemoryFault) {
    guard GuestMemory.read(destination, from: source, count: byteCount) else {
      throw GuestMemoryFault(at: source)
    }
  }

  func copyOut(
    to destination: GuestVirtualAddress, from source: UnsafeRawPointer, byteCount: Int
  ) throws(GuestMemoryFault) {
    guard GuestMemory.write(source, to: destination, count: byteCount) else {
      throw GuestMemoryFault(at: destination)
    }
  }

  var argumentPage: GuestVirtualAddress { ArgumentPages.address }

  func compareExchange(
    _ word: UnsafeMutablePointer<UInt64>, expected: UInt64, desired: UInt64
  ) -> UInt64 {
    xg_compare_exchange(word, expected, desired)
  }

  @inline(__always)
  func setBit(_ bit: Int, of word: UnsafeMutablePointer<UInt64>) -> Bool {
    xg_set_bit(word, UInt64(truncatingIfNeeded: bit))
  }

  @inline(__always)
  func clearBit(_ bit: Int, of word: UnsafeMutablePointer<UInt64>) -> Bool {
    xg_clear_bit(word, UInt64(truncatingIfNeeded: bit))
  }

  @inline(__always)
  var holdsAll: Bool { xg_this_cpu().pointee.holds_all != 0 }

  func askForAll() { xg_this_cpu().pointee.asks_for_all = 1 }

  func take(_ lock: UnsafeMutablePointer<DomainLock>) { SpinLock(lock).take() }

  func release(_ lock: UnsafeMutablePointer<DomainLock>) { SpinLock(lock).release() }

  var currentProcessor: ProcessorID {
    ProcessorID(UInt8(truncatingIfNeeded: xg_this_cpu().pointee.index))
  }

  func invalidatePage(_ address: GuestVirtualAddress) { xg_invlpg(address.value) }

  func invalidatePage(_ address: GuestVirtualAddress, on processors: ProcessorSet) {
    if processors.contains(currentProcessor) { xg_invlpg(address.value) }
    Shootdown.flush(address, on: processors)
  }

  /// A flush here counts as one for every frame, also for the top table that an idle CPU may have loaded.
  func flushTLB() {
    LoadedTables.dropForeign()
    HypervisorPages.flushAll()
  }

  func flushTLB(on processors: ProcessorSet) {
    if processors.contains(currentProcessor) { flushTLB() }
    Shootdown.flush(nil, on: processors)
  }

  func loadPageTableBase(_ table: MachineFrame) { xg_write_cr3(table.address.value) }

  func flushCaches(everywhere: Bool) {
    xg_wbinvd()
    if everywhere { Shootdown.flushCaches() }
  }

  var now: UInt64 { Host.clock.now }

  @inline(__always)
  func wake(_ vcpu: UnsafeMutablePointer<VCPU>) {
    let guest = vcpu.pointee.guest
    // The vcpu that runs here looks on its way out.
    if xg_this_cpu().pointee.vcpu == UInt64(UInt(bitPattern: guest)) {
      guest.pointee.wantsSleep = false
    } else {
      Switch.wake(guest)
    }
  }

  func stop(_ vcpu: UnsafeMutablePointer<VCPU>) {
    Switch.stop(vcpu.pointee.guest)
    LoadedTables.forget(vcpu.pointee.guest)
  }

  var interruptLineCount: Int { InterruptController.lineCount }

  func isOwnInterruptLine(_ line: Int) -> Bool { line == SerialInput.line }

  func openInterruptLine(_ line: Int, _ interrupt: PhysicalInterrupt) {
    InterruptController.open(line, interrupt)
  }

  func closeInterruptLine(_ line: Int) { InterruptController.close(line) }

  /// Interrupts that have come meanwhile are let in: their handlers take no lock, they only note
  /// what is to be done.
  var isPreemptionPending: Bool {
    xg_sti_cli()
    return xg_work(xg_this_cpu()) != 0
  }

  func pause() { xg_pause() }
}
