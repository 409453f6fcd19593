// What may be done while other processors work in HypervisorCore, too.
//
//     whole core lock          everything
//     a processor's part       nothing changes that is not a domain's own or changed atomically:
//       without more             ports, domains, vcpus and tables of frames are read, bits of shared
//                                pages set
//       and a domain's lock    the domain's page tables, teardown list, pins and base pointers, the
//                                counts of its own frames, its queues of events
//
// The whole lock is every processor's part, so whoever has it is alone. Under a part of it
//
// - a frame's owner does not change, and no frame is allocated or freed;
// - the counts and the type of a frame change under its owner's lock alone, whoever maps it;
// - no domain and no port comes or goes.
//
// What meets a state of others on its way (a frame that is not the domain's, or the last reference to
// one) stops like what is preempted, before it changes that, and asks for the whole lock: `requireAll`.
// Its progress is kept as ever, so the machine just makes the same call again.

import X86

/// The lock of a domain; what it means is the machine's.
public struct DomainLock: Sendable {
  /// Not 0 while somebody has it.
  public var held: UInt32 = 0
  /// Who has waited for long.
  public var starving: UInt32 = 0

  /// One that nobody has.
  public init() {}
}

extension Hypervisor {
  /// Stops what may not be done while others work in the core.
  @inline(never)
  func requireAll() throws(MemoryError) {
    if machine.holdsAll { return }
    machine.askForAll()
    throw .preempted
  }

  /// Does something under a domain's lock, which whoever holds all need not take.
  @inline(__always)
  func withLock(of domain: DomainPointer, _ body: () -> Void) {
    if machine.holdsAll { return body() }
    let lock = Self.lock(of: domain)
    machine.take(lock)
    body()
    machine.release(lock)
  }

  /// The place of a domain's lock.
  @inline(__always)
  public static func lock(of domain: DomainPointer) -> UnsafeMutablePointer<DomainLock> {
    // SAFETY: a field of a place in the domain table, which does not move.
    withUnsafeMutablePointer(to: &domain.pointee.lock) { $0 }
  }

  /// Makes sure that what an accepted last-level entry counted can be given back.
  ///
  /// A domain may have mapped a frame of another by a grant, or one that it has given up, which is freed
  /// with its last mapping.
  @inline(__always)
  func prepareRelease(of entry: PageTableEntry, in domain: DomainPointer) throws(MemoryError) {
    let frame = MachineFrame(entry.frameNumber)
    guard entry.isPresent, frames.contains(frame) else { return }
    let record = frames[frame]
    if record.pointee.owner == domain.pointee.id, record.pointee.references > 1 { return }
    // I/O memory is not counted.
    if record.pointee.owner != .io { try requireAll() }
  }
}
