// The bare-metal state of a domain: how it was made, how it ends, its console line. It lies in one
// frame of the hypervisor's, with the table of its vcpus in the second half.
//
//     0000  GuestDomain          0800  the vcpus, by number: 128 pointers

import CMachine
import CXenABI
import HypervisorCore

/// A domain as the machine runs it.
struct GuestDomain {
  /// The most vcpus that a domain can have.
  static var vcpuLimit: Int { 128 }
  private static var tableOffset: Int { 2048 }

  // SAFETY: a place in the domain table, which is this domain's until the reaper has freed it.
  let domain: DomainPointer
  // SAFETY: a frame of the hypervisor's that lives as long as the domain.
  /// What was done in its stead.
  let record: UnsafeMutablePointer<TrapRecord>
  /// What SCHEDOP_shutdown_code has given as the reason of its end, whatever will end it.
  var announcedEnding: UInt32?
  /// Why it has ended; `nil` while it runs.
  var ending: UInt32?
  /// The strict policy is not for it.
  var isExempt = false
  /// It has ended, and somebody else still holds frames of it.
  var isLingering = false
  /// Deadlines of its watchdogs; 0 for those that are off.
  var watchdogs = InlineArray<2, UInt64>(repeating: 0)
  /// By how many seconds its time of day is ahead of the machine's.
  var clockShift: Int64 = 0
  /// What it has printed of a line that is not complete.
  var line = ConsoleLine()

  init(domain: DomainPointer, record: UnsafeMutablePointer<TrapRecord>) {
    self.domain = domain
    self.record = record
  }

  /// The table of vcpus in the frame of a domain's state.
  static func vcpuTable(
    in frame: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<VCPU>> {
    (frame + tableOffset).bindMemory(
      to: UnsafeMutablePointer<VCPU>.self, capacity: vcpuLimit)
  }
}

/// A domain's place in memory.
typealias GuestDomainPointer = UnsafeMutablePointer<GuestDomain>

extension Domain {
  /// Its bare-metal state.
  var guest: GuestDomainPointer {
    // SAFETY: set before the domain's first vcpu can run, and never changed.
    context.unsafelyUnwrapped.assumingMemoryBound(to: GuestDomain.self)
  }
}

extension VCPU {
  /// Its bare-metal state.
  var guest: GuestProcessorPointer {
    // SAFETY: set before anything can know of the vcpu, and never changed.
    context.unsafelyUnwrapped.assumingMemoryBound(to: GuestProcessor.self)
  }
}
