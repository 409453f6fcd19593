// Event channels in the two-level form, and the loop that everything runs in. Handlers are called
// out of the loop and never out of the upcall, so nothing here needs a lock.
//
// No wake-up is lost: the loop masks upcalls, takes the pending byte, and scans. What comes after
// that sets the byte again, and SCHEDOP_block, which lifts the mask, returns at once.

internal import CGuest
internal import CXenABI
internal import XenABI

/// Ports and their handlers.
public enum Events {
  // SAFETY: one vcpu, and nothing runs in the upcall.
  nonisolated(unsafe) private static var handlers: [(() -> Void)?] = []
  nonisolated(unsafe) private static var pollers: [() -> Bool] = []
  nonisolated(unsafe) private static var sleepers: [() -> Bool] = []
  /// System time at which the timer is to fire; `nil` for never.
  nonisolated(unsafe) private static var timers: [Timer] = []
  nonisolated(unsafe) private static var isStopped = false

  private struct Timer {
    var deadline: UInt64
    var body: () -> Void
  }

  private static func words(_ offset: Int) -> UnsafeMutablePointer<UInt64> {
    // SAFETY: the offsets are shared_info's, of 64 words each.
    (Guest.shared + offset).assumingMemoryBound(to: UInt64.self)
  }
  private static var pending: UnsafeMutablePointer<UInt64> {
    words(Xen.Offset.shared_info.evtchn_pending)
  }
  private static var masked: UnsafeMutablePointer<UInt64> {
    words(Xen.Offset.shared_info.evtchn_mask)
  }
  private static var selector: UnsafeMutablePointer<UInt64> {
    words(Xen.Offset.vcpu_info.evtchn_pending_sel)
  }
  private static func byte(_ offset: Int) -> UnsafeMutablePointer<UInt8> {
    (Guest.shared + offset).assumingMemoryBound(to: UInt8.self)
  }

  /// Masks every port, and binds the timer.
  static func start() {
    for index in 0..<64 { guest_or64(masked + index, .max) }
    if let port = bind(interrupt: UInt32(VIRQ_TIMER)) { handle(port) {} }
  }

  /// Sets what is called for a port, and lets its events in.
  public static func handle(_ port: UInt32, _ body: @escaping () -> Void) {
    while handlers.count <= Int(port) { handlers.append(nil) }
    handlers[Int(port)] = body
    var request = evtchn_unmask()
    request.port = port
    _ = HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &request)
  }

  /// Closes a port.
  public static func close(_ port: UInt32) {
    guest_or64(masked + Int(port >> 6), 1 << UInt64(port & 63))
    if Int(port) < handlers.count { handlers[Int(port)] = nil }
    var request = evtchn_close()
    request.port = port
    _ = HYPERVISOR_event_channel_op(EVTCHNOP_close, &request)
    guest_and64(pending + Int(port >> 6), ~(1 << UInt64(port & 63)))
  }

  /// Sends an event to the other end.
  public static func notify(_ port: UInt32) {
    var request = evtchn_send()
    request.port = port
    _ = HYPERVISOR_event_channel_op(EVTCHNOP_send, &request)
  }

  /// Binds a virtual interrupt of vcpu 0.
  public static func bind(interrupt: UInt32) -> UInt32? {
    var request = evtchn_bind_virq()
    request.virq = interrupt
    return HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &request) == 0 ? request.port : nil
  }

  /// Binds to a port that another domain has allocated for this one.
  public static func bind(remote: UInt32, of domain: UInt16) -> UInt32? {
    var request = evtchn_bind_interdomain()
    request.remote_dom = domain
    request.remote_port = remote
    return HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &request) == 0
      ? request.local_port : nil
  }

  /// Adds work that is looked at on every turn of the loop; it answers whether it did something.
  public static func poll(_ body: @escaping () -> Bool) { pollers.append(body) }

  /// Adds what is done before each sleep; it answers whether there is something to do after all.
  public static func beforeSleep(_ body: @escaping () -> Bool) { sleepers.append(body) }

  /// Calls something once, at a system time or soon after.
  public static func after(_ nanoseconds: UInt64, _ body: @escaping () -> Void) {
    timers.append(Timer(deadline: Clock.now &+ nanoseconds, body: body))
  }

  /// Makes `run` return.
  public static func stop() { isStopped = true }

  /// Runs handlers, pollers and timers, and sleeps while there is nothing to do.
  public static func run() {
    isStopped = false
    while !isStopped {
      guest_exchange8(byte(Xen.Offset.vcpu_info.evtchn_upcall_mask), 1)
      guest_exchange8(byte(Xen.Offset.vcpu_info.evtchn_upcall_pending), 0)
      var isBusy = dispatch()
      for index in 0..<pollers.count where pollers[index]() { isBusy = true }
      let isDue = expire()
      if isBusy || isDue || isStopped { continue }
      for index in 0..<sleepers.count where sleepers[index]() { isBusy = true }
      if isBusy { continue }
      setTimer()
      _ = HYPERVISOR_sched_op(SCHEDOP_block, nil, 0)
    }
  }

  /// Calls the handlers of pending ports.
  private static func dispatch() -> Bool {
    var groups = guest_exchange64(selector, 0)
    let isAny = groups != 0
    while groups != 0 {
      let group = groups.trailingZeroBitCount
      groups &= groups - 1
      var ports = guest_load64(pending + group) & ~guest_load64(masked + group)
      while ports != 0 {
        let bit = ports.trailingZeroBitCount
        ports &= ports - 1
        // Before the handler, so that what comes meanwhile calls it again.
        guest_and64(pending + group, ~(1 << UInt64(bit)))
        let port = group * 64 + bit
        if port < handlers.count, let handler = handlers[port] { handler() }
      }
    }
    return isAny
  }

  /// Calls the timers that are due, which may set new ones.
  private static func expire() -> Bool {
    let now = Clock.now
    var due: [() -> Void] = []
    var index = 0
    while index < timers.count {
      if timers[index].deadline <= now {
        due.append(timers.remove(at: index).body)
      } else {
        index += 1
      }
    }
    for body in due { body() }
    return !due.isEmpty
  }

  private static func setTimer() {
    var next = UInt64.max
    for timer in timers { next = min(next, timer.deadline) }
    // A deadline in the past fires at once; 0 stops the timer.
    _ = HYPERVISOR_set_timer_op(next == .max ? 0 : next)
  }
}
