// The state of the machine as a whole, filled in by Start.swift in its order.

import CMachine
import HypervisorCore

/// The one machine that Rootstock runs on.
enum Host {
  // SAFETY: these are written by the boot CPU before interrupts, other CPUs and guests exist, and
  // only read from then on.
  nonisolated(unsafe) static var boot = BootInformation()
  nonisolated(unsafe) static var allocator = BootAllocator()
  nonisolated(unsafe) static var acpi = ACPIFacts()
  nonisolated(unsafe) static var clock = Clock()

  // SAFETY: points to the hypervisor's own memory once Memory.swift has run.
  nonisolated(unsafe) static var guestCommandLine = UnsafeMutablePointer<UInt8>(
    bitPattern: 8
  ).unsafelyUnwrapped

  nonisolated(unsafe) static var core: Hypervisor<MetalMachine>?

  /// Frames, domains and the hypercalls on them, from `Memory.handOver` on.
  static var hypervisor: Hypervisor<MetalMachine> {
    guard let core else { panic("HypervisorCore is used before it is there") }
    return core
  }

  /// A cleared frame for the hypervisor.
  static func takeFrame() -> MachineFrame { allocator.take(1, from: boot) }
}
