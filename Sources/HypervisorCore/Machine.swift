// The hardware as HypervisorCore sees it. Rootstock implements it with instructions and its direct
// map; tests implement it with arrays. Generic code takes `some Machine`, so that calls are direct.

/// A guest address that could not be read or written.
public struct GuestMemoryFault: Error, Hashable, Sendable {
  /// The first byte that could not be accessed, as far as it is known.
  public var address: GuestVirtualAddress

  /// A fault at an address.
  @inlinable public init(at address: GuestVirtualAddress) { self.address = address }
}

/// What HypervisorCore asks of the hardware, on behalf of the processor that calls.
///
/// Conformances are handles that are cheap to copy; nothing here allocates. All functions of
/// HypervisorCore that take a machine run under the core lock, of this processor's part at least:
/// Locality.swift says which may do with that. The machine's own locks come after it.
public protocol Machine {
  /// The 512 words of a frame of RAM, through the direct map.
  ///
  /// The caller has looked the frame up in the frame table, so it is RAM.
  func words(of frame: MachineFrame) -> UnsafeMutablePointer<UInt64>

  /// Fills a frame of RAM with zeros.
  func clear(_ frame: MachineFrame)

  /// Copies one frame of RAM to another.
  func copy(_ source: MachineFrame, to destination: MachineFrame)

  /// Copies guest virtual memory of the running vcpu into the hypervisor.
  ///
  /// The range has passed `isGuestRange`. Part of it may have been copied when the fault is thrown.
  func copyIn(
    _ destination: UnsafeMutableRawPointer, from source: GuestVirtualAddress, byteCount: Int
  ) throws(GuestMemoryFault)

  /// Copies from the hypervisor into guest virtual memory, as far as the guest itself may write it.
  func copyOut(
    to destination: GuestVirtualAddress, from source: UnsafeRawPointer, byteCount: Int
  ) throws(GuestMemoryFault)

  /// A page in the lower half of the running vcpu's address space that its guest does not reach: above
  /// the 4 GiB of a 32-bit one.
  var argumentPage: GuestVirtualAddress { get }

  /// Replaces a word of a page table in one step, if it still has the value expected.
  ///
  /// The processor sets accessed and dirty bits at any time, so a plain store would lose them.
  /// Answers the value found: equal to `expected` means that the word was replaced.
  func compareExchange(
    _ word: UnsafeMutablePointer<UInt64>, expected: UInt64, desired: UInt64
  ) -> UInt64

  /// Sets a bit of a word that a guest may change at the same time; answers whether it was set.
  func setBit(_ bit: Int, of word: UnsafeMutablePointer<UInt64>) -> Bool

  /// Clears a bit likewise.
  func clearBit(_ bit: Int, of word: UnsafeMutablePointer<UInt64>) -> Bool

  /// Whether this processor holds the core lock as a whole: no other runs code of HypervisorCore.
  var holdsAll: Bool { get }

  /// Notes that what is being done has come to a state of others: once it has stopped as one that is
  /// preempted, it is to go on under the whole core lock.
  func askForAll()

  /// Waits for a domain's lock and takes it.
  func take(_ lock: UnsafeMutablePointer<DomainLock>)

  /// Lets others have it.
  func release(_ lock: UnsafeMutablePointer<DomainLock>)

  /// The processor that runs this code.
  var currentProcessor: ProcessorID { get }

  /// Drops one address from the TLB of this processor.
  func invalidatePage(_ address: GuestVirtualAddress)

  /// Drops one address from the TLBs of several processors, and waits for it.
  func invalidatePage(_ address: GuestVirtualAddress, on processors: ProcessorSet)

  /// Drops everything, global entries too, from the TLB of this processor.
  func flushTLB()

  /// Drops everything from the TLBs of several processors, and waits for it.
  func flushTLB(on processors: ProcessorSet)

  /// Loads a validated top-level table into the page-table base of this processor.
  func loadPageTableBase(_ table: MachineFrame)

  /// Writes back and empties the caches of this processor, or of all.
  func flushCaches(everywhere: Bool)

  /// System time: nanoseconds since the hypervisor's start.
  var now: UInt64 { get }

  /// Makes a vcpu look at its events: one that is blocked becomes runnable, one that runs on another
  /// processor is interrupted.
  ///
  /// For the vcpu that calls nothing is to be done: it looks on its way out.
  func wake(_ vcpu: UnsafeMutablePointer<VCPU>)

  /// Makes a vcpu stop that is not to run any more: one that runs on another processor is interrupted,
  /// and may still run when this returns.
  func stop(_ vcpu: UnsafeMutablePointer<VCPU>)

  /// How many lines the interrupt controller of devices has.
  var interruptLineCount: Int { get }

  /// Whether the hypervisor itself uses a line, which then no domain can bind.
  func isOwnInterruptLine(_ line: Int) -> Bool

  /// Lets a line interrupt; it is then told by `Hypervisor.raise(line:)`.
  func openInterruptLine(_ line: Int, _ interrupt: PhysicalInterrupt)

  /// Keeps a line from interrupting.
  func closeInterruptLine(_ line: Int)

  /// Whether work waits for this processor that should end a long hypercall early.
  var isPreemptionPending: Bool { get }

  /// Tells the processor that it spins in a loop.
  func pause()
}
