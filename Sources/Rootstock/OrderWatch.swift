// `watch=order` on the command line: guests' debug registers show in which order they use what they
// share (HypervisorCore/SharedOrder.swift). A guest that uses the registers itself keeps them.

import CMachine
import HypervisorCore
import X86

/// The option.
enum OrderWatch {
  // SAFETY: written on the boot CPU, before guests run.
  nonisolated(unsafe) static var isOn = false
}

/// What is kept of a vcpu under watch.
struct OrderState {
  /// In which order it uses what it shares.
  var steps = SharedOrder()
  var search = OrderSearch()
}

/// How far the search for a guest's places has got.
struct OrderSearch {
  /// What was searched for: another key is another search.
  var key = UInt64.max
  /// So many times more, at most.
  var left = 32
  /// The rings that were searched for.
  var ringVersion = UInt32.max
}

extension GuestProcessor {
  /// Whose order is looked at: domain 0 serves others, and is not on trial where it is exempt.
  private var isOnTrial: Bool { OrderWatch.isOn && !guest.pointee.isExempt }

  /// Looks where the guest has what it shares, on the way to its handler of events.
  @inline(never)
  mutating func findShared(_ frame: FramePointer) {
    guard isOnTrial, isKernelMode, let top = core.pointee.kernelTable else { return }
    if order.pointee.steps.isStepping {
      frame.pointee.rflags &= ~Flags.trap
      order.pointee.steps.abandon()
    }
    var places = order.pointee.steps.places
    let info = MachineAddress(UInt64(UInt(bitPattern: shared)) &- UInt64(XG_DIRECT_BASE))
    withCore {
      let version = domain.pointee.rings.version
      let key = info.value &+ UInt64(version) << 52
      if key != order.pointee.search.key { order.pointee.search = OrderSearch(key: key) }
      // A search goes through all tables: what the guest has not mapped is not looked for for ever.
      guard order.pointee.search.left > 0 else { return }
      order.pointee.search.left -= 1
      var isComplete = true
      places.info = Self.place(of: info.frame, under: top).map { $0 | info.value & 0xfff } ?? 0
      if places.info == 0 { isComplete = false }
      for index in 0..<SharedPlaces.ringLimit {
        places.rings[index] = 0
        guard let frame = domain.pointee.rings[index] else { continue }
        places.rings[index] = Self.place(of: frame, under: top) ?? 0
        if places.rings[index] == 0 { isComplete = false }
      }
      order.pointee.search.ringVersion = version
      if isComplete { order.pointee.search.left = 0 }
    }
    order.pointee.steps.look(at: places)
    loadDebugRegisters()
  }

  private static func place(of frame: MachineFrame, under top: MachineFrame) -> UInt64? {
    Host.hypervisor.address(of: frame, under: top)?.value
  }

  /// Takes a debug exception for the watch; false where it is the guest's own.
  ///
  /// A single step of the guest's kernel that it has asked for itself goes to the watch as well.
  mutating func noteOrder(_ frame: FramePointer) -> Bool {
    guard order.pointee.steps.isOn, debug.hardwareControl == 0, isKernelMode else { return false }
    let status = xg_read_dr6() ^ 0xffff_0ff0
    let met = status & 15
    guard met != 0 || status & DebugRegisters.singleStep != 0 else { return false }
    xg_write_dr6(0xffff_0ff0)
    // A page that was a ring's a moment ago is written to as any page is.
    if order.pointee.search.ringVersion != domain.pointee.rings.version {
      order.pointee.steps.forgetRings()
    }
    let rip = GuestVirtualAddress(frame.pointee.rip)
    let wasWatching = order.pointee.steps.isStepping
    let before = GuestMemory.load64(from: GuestVirtualAddress(rip.value &- 8)) ?? 0
    let bytes = FetchedBytes(at: rip)
    let found = order.pointee.steps.note(
      met: met, at: rip.value, isMasked: upcallMask != 0,
      wasExchange: OrderStep.isExchange(behind: before), next: OrderStep(bytes),
      access: OrderAccess(bytes) { frame[register: $0] })
    if let found {
      // The byte before is the instruction's, and with it the line.
      guest.pointee.record.pointee.count(found.slip, at: found.place &- 1)
    }
    if !wasWatching, let kind = order.pointee.steps.watched {
      guest.pointee.record.pointee.watched[Int(kind.rawValue)] &+= 1
    }
    if order.pointee.steps.isStepping {
      frame.pointee.rflags |= Flags.trap
    } else {
      frame.pointee.rflags &= ~Flags.trap
    }
    if wasWatching != order.pointee.steps.isStepping { loadDebugRegisters() }
    return true
  }
}
