// A machine of several processors, each a thread, over the memory of a fake one: locks, atomic words and
// guest windows are real. What they leave behind is checked on the fake machine afterwards.

public import HypervisorCore
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Processors that work in one hypervisor at the same time.
public final class ThreadedMachine: Machine, @unchecked Sendable {
  /// How many processors there are.
  public static let processorCount = 2
  private static let windowStride = 64 * 1024

  private let fake: FakeMachine
  private let windows: UnsafeMutableRawPointer
  // SAFETY: a word for each processor, which only its own thread uses, but for `parts`, which are atomic.
  private let holdsEverything: UnsafeMutablePointer<Bool>
  private let asks: UnsafeMutablePointer<Bool>
  private let steps: UnsafeMutablePointer<UInt64>
  private let parts: UnsafeMutablePointer<UInt32>
  private let key: pthread_key_t

  /// Processors over the memory of a machine that nobody else uses meanwhile.
  public init(_ fake: FakeMachine) {
    self.fake = fake
    let count = Self.processorCount
    windows = .allocate(byteCount: count * Self.windowStride, alignment: 4096)
    windows.initializeMemory(as: UInt8.self, repeating: 0, count: count * Self.windowStride)
    holdsEverything = .allocate(capacity: count)
    holdsEverything.initialize(repeating: false, count: count)
    asks = .allocate(capacity: count)
    asks.initialize(repeating: false, count: count)
    steps = .allocate(capacity: count)
    steps.initialize(repeating: 0, count: count)
    parts = .allocate(capacity: count * 32)
    parts.initialize(repeating: 0, count: count * 32)
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    self.key = key
  }

  deinit {
    pthread_key_delete(key)
    windows.deallocate()
    holdsEverything.deallocate()
    asks.deallocate()
    steps.deallocate()
    parts.deallocate()
  }

  /// Makes the calling thread a processor.
  public func become(_ processor: Int) {
    pthread_setspecific(key, UnsafeMutableRawPointer(bitPattern: processor + 1))
  }

  private var here: Int { Int(bitPattern: pthread_getspecific(key)) - 1 }

  // MARK: Locks

  private static func take(_ word: UnsafeMutablePointer<UInt32>) {
    while atomic(word).pointee.exchange(1, ordering: .acquiring) != 0 { sched_yield() }
  }

  private static func release(_ word: UnsafeMutablePointer<UInt32>) {
    atomic(word).pointee.store(0, ordering: .releasing)
  }

  // SAFETY: an atomic has the layout of its value.
  private static func atomic(
    _ word: UnsafeMutablePointer<UInt32>
  ) -> UnsafeMutablePointer<Atomic<UInt32>> {
    UnsafeMutableRawPointer(word).assumingMemoryBound(to: Atomic<UInt32>.self)
  }

  private static func atomic(
    _ word: UnsafeMutablePointer<UInt64>
  ) -> UnsafeMutablePointer<Atomic<UInt64>> {
    UnsafeMutableRawPointer(word).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Does something under this processor's part of the core lock; answers whether it wants all of it.
  public func withPart<Result>(
    and domain: DomainPointer?, _ body: () -> Result
  ) -> (result: Result, asksForAll: Bool) {
    asks[here] = false
    Self.take(parts + here * 32)
    if let domain { take(Hypervisor<ThreadedMachine>.lock(of: domain)) }
    let result = body()
    if let domain { release(Hypervisor<ThreadedMachine>.lock(of: domain)) }
    Self.release(parts + here * 32)
    return (result, asks[here])
  }

  /// Does something under the whole of it.
  public func withAll<Result>(_ body: () -> Result) -> Result {
    for index in 0..<Self.processorCount { Self.take(parts + index * 32) }
    holdsEverything[here] = true
    let result = body()
    holdsEverything[here] = false
    for index in 0..<Self.processorCount { Self.release(parts + index * 32) }
    return result
  }

  public var holdsAll: Bool { holdsEverything[here] }
  public func askForAll() { asks[here] = true }
  public func take(_ lock: UnsafeMutablePointer<DomainLock>) {
    withUnsafeMutablePointer(to: &lock.pointee.held) { Self.take($0) }
  }
  public func release(_ lock: UnsafeMutablePointer<DomainLock>) {
    withUnsafeMutablePointer(to: &lock.pointee.held) { Self.release($0) }
  }

  // MARK: Memory

  public func words(of frame: MachineFrame) -> UnsafeMutablePointer<UInt64> {
    fake.words(of: frame)
  }
  public func clear(_ frame: MachineFrame) { fake.clear(frame) }
  public func copy(_ source: MachineFrame, to destination: MachineFrame) {
    fake.copy(source, to: destination)
  }

  private func place(
    _ address: GuestVirtualAddress, _ byteCount: Int
  ) throws(GuestMemoryFault) -> UnsafeMutableRawPointer {
    let (offset, overflow) = address.value.subtractingReportingOverflow(
      FakeMachine.windowBase.value)
    guard !overflow, offset <= UInt64(Self.windowStride),
      byteCount <= Self.windowStride - Int(offset)
    else { throw GuestMemoryFault(at: address) }
    return windows + here * Self.windowStride + Int(offset)
  }

  public func copyIn(
    _ destination: UnsafeMutableRawPointer, from source: GuestVirtualAddress, byteCount: Int
  ) throws(GuestMemoryFault) {
    destination.copyMemory(from: try place(source, byteCount), byteCount: byteCount)
  }

  public func copyOut(
    to destination: GuestVirtualAddress, from source: UnsafeRawPointer, byteCount: Int
  ) throws(GuestMemoryFault) {
    try place(destination, byteCount).copyMemory(from: source, byteCount: byteCount)
  }

  /// Puts words into the window of the calling processor.
  public func poke(_ words: [UInt64], at offset: Int) {
    for (index, word) in words.enumerated() {
      windows.storeBytes(
        of: word, toByteOffset: here * Self.windowStride + offset + index * 8, as: UInt64.self)
    }
  }

  public func compareExchange(
    _ word: UnsafeMutablePointer<UInt64>, expected: UInt64, desired: UInt64
  ) -> UInt64 {
    Self.atomic(word).pointee.compareExchange(
      expected: expected, desired: desired, ordering: .sequentiallyConsistent
    ).original
  }

  public func setBit(_ bit: Int, of word: UnsafeMutablePointer<UInt64>) -> Bool {
    let bits = UInt64(1) << UInt64(bit)
    return Self.atomic(word).pointee.bitwiseOr(bits, ordering: .sequentiallyConsistent).oldValue
      & bits != 0
  }

  public func clearBit(_ bit: Int, of word: UnsafeMutablePointer<UInt64>) -> Bool {
    let bits = UInt64(1) << UInt64(bit)
    return Self.atomic(word).pointee.bitwiseAnd(~bits, ordering: .sequentiallyConsistent).oldValue
      & bits != 0
  }

  // MARK: What the test does without

  public var currentProcessor: ProcessorID { ProcessorID(UInt8(here)) }
  public func invalidatePage(_ address: GuestVirtualAddress) {}
  public func invalidatePage(_ address: GuestVirtualAddress, on processors: ProcessorSet) {}
  public func flushTLB() {}
  public func flushTLB(on processors: ProcessorSet) {}
  public func loadPageTableBase(_ table: MachineFrame) {}
  public func flushCaches(everywhere: Bool) {}
  public var argumentPage: GuestVirtualAddress { fake.argumentPage }
  public var now: UInt64 { 0 }
  public func wake(_ vcpu: UnsafeMutablePointer<VCPU>) {}
  public func stop(_ vcpu: UnsafeMutablePointer<VCPU>) {}
  public var interruptLineCount: Int { 0 }
  public func isOwnInterruptLine(_ line: Int) -> Bool { false }
  public func openInterruptLine(_ line: Int, _ interrupt: PhysicalInterrupt) {}
  public func closeInterruptLine(_ line: Int) {}
  /// Now and then.
  public var isPreemptionPending: Bool {
    steps[here] &+= 1
    return steps[here] % 7 == 0
  }
  public func pause() {}
}
