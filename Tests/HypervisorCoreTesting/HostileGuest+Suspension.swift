// The hostile guest suspends, naming anything as start_info, and goes on in one way or the other.

import HypervisorCore

extension HostileGuest {
  /// A suspension that domain 0 keeps, writes down at times, and ends.
  func suspend(_ caller: Caller, _ own: [MachineFrame]) -> (String, Int64?) {
    let hypervisor = bench.hypervisor
    if caller.domain.pointee.is32Bit {
      return (note("is not kept"), hypervisor.suspend(caller) ? nil : 0)
    }
    caller.domain.pointee.isKeptSuspended = true
    guard hypervisor.suspend(caller) else { return (note("suspends and ends"), nil) }
    let frame = anyFrame(own)
    var result: Int64 = 0
    do throws(HypercallError) {
      if random.below(3) == 0 { _ = try hypervisor.record(caller.domain, startInfo: frame) }
      try hypervisor.resume(caller.domain, asNew: random.below(3) > 0, startInfo: frame)
    } catch {
      result = -error.rawValue
      do throws(HypercallError) {
        try hypervisor.resume(caller.domain, asNew: false, startInfo: frame)
      } catch { return (note("goes on never"), nil) }
    }
    caller.domain.pointee.isPaused = false
    return (note("suspends with start_info \(frame.number)"), result)
  }
}
