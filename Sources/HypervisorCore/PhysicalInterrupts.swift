// Interrupts of devices, as events of the domain that has them: physdev_op and EVTCHNOP_bind_pirq.
//
//     line of the interrupt controller --map_pirq--> PIRQ --bind_pirq--> port
//
// A PIRQ has the number of its line. A level-triggered line stays closed from its interrupt until
// the guest says that it has dealt with it (PHYSDEVOP_eoi); a guest that never does only loses its
// own device.

import CXenABI

/// One line of the interrupt controller.
public struct PhysicalInterrupt: Sendable {
  /// How many lines there can be.
  public static var limit: Int { 64 }

  /// Mapped by the domain that has the devices.
  public internal(set) var isMapped = false
  /// Triggered by level, and not by edges.
  public internal(set) var isLevel = true
  /// Active while low.
  public internal(set) var isActiveLow = false
  /// The port; 0 for none.
  public internal(set) var port = EventPort(0)
  /// The domain that has the port.
  public internal(set) var domain = DomainID.invalid
}

extension Hypervisor {
  /// How many lines this machine has.
  private var lineCount: Int { min(machine.interruptLineCount, PhysicalInterrupt.limit) }

  private func line(
    _ number: UInt32, _ caller: Caller
  ) throws(HypercallError) -> Int {
    guard number < UInt32(lineCount) else { throw .invalid }
    guard caller.domain.pointee.isPrivileged else { throw .notPermitted }
    return Int(number)
  }

  /// Those operations of physdev_op that are about interrupts.
  ///
  /// A bad guest would name lines that do not exist, or those of others.
  public func physicalInterruptOperation(
    _ command: Int32, _ argument: GuestVirtualAddress, from caller: Caller
  ) throws(HypercallError) -> Int64 {
    switch command {
    case PHYSDEVOP_map_pirq: try mapInterrupt(argument, caller)
    case PHYSDEVOP_unmap_pirq:
      let words = try readWords(1, from: argument)
      let index = try line(UInt32(truncatingIfNeeded: words[0] >> 32), caller)
      guard state.pointee.interrupts[index].isMapped else { throw .invalid }
      guard state.pointee.interrupts[index].port.rawValue == 0 else { throw .busy }
      state.pointee.interrupts[index].isMapped = false
    case PHYSDEVOP_setup_gsi:
      let word = try readWords(1, from: argument)[0]
      let index = try line(UInt32(truncatingIfNeeded: word), caller)
      // What is bound keeps its trigger.
      guard state.pointee.interrupts[index].port.rawValue == 0 else { return 0 }
      state.pointee.interrupts[index].isLevel = word >> 32 & 0xff != 0
      state.pointee.interrupts[index].isActiveLow = word >> 40 & 0xff != 0
    case PHYSDEVOP_eoi:
      let index = try line(try readHalf(at: argument), caller)
      let interrupt = state.pointee.interrupts[index]
      guard interrupt.port.rawValue != 0, interrupt.domain == caller.domain.pointee.id else {
        throw .invalid
      }
      if interrupt.isLevel { machine.openInterruptLine(index, interrupt) }
    case PHYSDEVOP_irq_status_query:
      let index = try line(UInt32(truncatingIfNeeded: try readWords(1, from: argument)[0]), caller)
      let needsEnd = state.pointee.interrupts[index].isLevel
      try write(
        half: needsEnd ? UInt32(XENIRQSTAT_needs_eoi) : 0, to: try place(argument, 4))
    default: throw .noSuchCall
    }
    return 0
  }

  /// PHYSDEVOP_map_pirq, for lines alone: there are no message interrupts.
  private func mapInterrupt(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let words = try readWords(2, from: argument)
    let domain = DomainID(UInt16(truncatingIfNeeded: words[0]))
    guard try target(domain, for: caller) == caller.domain else { throw .notSupported }
    guard Int32(truncatingIfNeeded: words[0] >> 32) == MAP_PIRQ_TYPE_GSI else {
      throw .notSupported
    }
    let index = try line(UInt32(truncatingIfNeeded: words[1]), caller)
    let wanted = Int32(truncatingIfNeeded: words[1] >> 32)
    guard wanted < 0 || wanted == Int32(index) else { throw .invalid }
    state.pointee.interrupts[index].isMapped = true
    try write(half: UInt32(index), to: try place(argument, 12))
  }

  /// EVTCHNOP_bind_pirq: opens the line.
  func bindPhysical(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let words = try readWords(1, from: argument)
    let index = try line(UInt32(truncatingIfNeeded: words[0]), caller)
    guard state.pointee.interrupts[index].isMapped else { throw .invalid }
    guard state.pointee.interrupts[index].port.rawValue == 0 else { throw .exists }
    // The serial console's: a bad domain 0 would take its interrupts away.
    guard !machine.isOwnInterruptLine(index) else { throw .busy }
    let opened = try openPort(.physicalInterrupt, of: caller.domain)
    opened.record.pointee.interrupt = UInt8(truncatingIfNeeded: index)
    state.pointee.interrupts[index].port = opened.number
    state.pointee.interrupts[index].domain = caller.domain.pointee.id
    machine.openInterruptLine(index, state.pointee.interrupts[index])
    try write(half: opened.number.rawValue, to: try place(argument, 8))
  }

  /// Closes the line of a port that ends.
  func releasePhysical(_ record: PortRecord) {
    let index = Int(record.interrupt)
    machine.closeInterruptLine(index)
    state.pointee.interrupts[index].port = EventPort(0)
    state.pointee.interrupts[index].domain = .invalid
  }

  /// A line has interrupted: the machine calls this with the core lock held.
  ///
  /// A level-triggered line is closed before the controller hears that the interrupt is over, else
  /// it would come again at once.
  public func raise(line index: Int) {
    guard index < PhysicalInterrupt.limit else { return }
    let interrupt = state.pointee.interrupts[index]
    if interrupt.isLevel || interrupt.port.rawValue == 0 { machine.closeInterruptLine(index) }
    guard interrupt.port.rawValue != 0, let domain = domains.find(interrupt.domain) else { return }
    setPending(interrupt.port, of: domain)
  }
}
