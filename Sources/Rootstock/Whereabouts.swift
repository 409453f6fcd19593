// What every vcpu does at one moment, which the harness chooses a little before it loses patience: a
// guest that hangs is shown where it hangs. Each CPU tells of the vcpu that it runs, the first one of
// those that nobody runs as well.

import CMachine
import HypervisorCore

/// The report that `where=` on the command line asks for, in milliseconds from the start.
enum Whereabouts {
  /// Words of a stack that are printed.
  private static let mostWords: UInt64 = 48

  // SAFETY: written on the boot CPU, before guests run.
  nonisolated(unsafe) private static var time = UInt64.max
  // SAFETY: bit n is set by CPU n, under the core lock; each CPU looks at its own alone.
  nonisolated(unsafe) private static var told: UInt64 = 0

  /// Reads the option.
  static func start() {
    if let milliseconds = Host.boot.commandLine.number(of: "where=") {
      time = milliseconds &* 1_000_000
    }
  }

  private static var bit: UInt64 { 1 << (xg_this_cpu().pointee.index & 63) }

  /// When this CPU is to tell; `UInt64.max` for never, or never again.
  static var due: UInt64 { time == .max || told & bit != 0 ? .max : time }

  /// Tells, once.
  ///
  /// The core lock keeps domains and their tables where they are.
  static func tell(_ frame: FramePointer) {
    withCore {
      told |= bit
      if xg_this_cpu().pointee.vcpu != 0 {
        describe(GuestProcessor.current, frame.pointee, "running")
      }
      guard xg_this_cpu().pointee.index == 0 else { return }
      for slot in 0..<Host.hypervisor.domains.capacity {
        guard let domain = Host.hypervisor.domains[slot], domain.pointee.context != nil,
          domain.pointee.guest.pointee.ending == nil
        else { continue }
        for index in 0..<domain.pointee.vcpuCount {
          tellIfResting(domain.pointee.vcpus[index].pointee.guest)
        }
      }
    }
  }

  /// A vcpu's registers are whole under the lock under which it is seen not to run.
  private static func tellIfResting(_ vcpu: GuestProcessorPointer) {
    Lock.scheduler.take()
    let isRunning = Switch.scheduler?.processor(of: vcpu.pointee.slot) != nil
    let state = Switch.scheduler?.state(of: vcpu.pointee.slot)
    let saved = vcpu.pointee.saved
    Lock.scheduler.release()
    guard !isRunning else { return }
    switch state {
    case .blocked: describe(vcpu, saved, "blocked")
    case .runnable: describe(vcpu, saved, "runnable")
    default: break
    }
  }

  private static func describe(
    _ vcpu: GuestProcessorPointer, _ frame: xg_frame, _ state: StaticString
  ) {
    let isKernel = vcpu.pointee.isKernelMode
    log(.info).text("where: domain=").decimal(vcpu.pointee.domain.pointee.id.rawValue)
      .text(" vcpu=").decimal(vcpu.pointee.core.pointee.id.rawValue).text(" state=").text(state)
      .text(" mode=").text(isKernel ? "kernel" : "user").end()
    log(.info).text("where: rip=").hex(frame.rip).text(" rsp=").hex(frame.rsp).text(" rbp=")
      .hex(frame.rbp).end()
    guard isKernel, let top = vcpu.pointee.core.pointee.kernelTable else { return }
    var line = log(.info).text("where: stack=")
    for index in 0..<mostWords {
      let address = GuestVirtualAddress(frame.rsp &+ index &* 8)
      guard let word = Host.hypervisor.peek(address, under: top) else { break }
      line = line.hex(word).text(" ")
    }
    line.end()
  }
}
