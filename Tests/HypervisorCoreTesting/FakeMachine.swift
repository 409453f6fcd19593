// A machine of arrays. Guest virtual memory is one flat window; the TLB is modelled as the set of
// translations that a processor could still hold, which is what a hostile guest would use.

public import HypervisorCore

/// A machine without hardware, for tests and fuzzing.
public final class FakeMachine: Machine {
  /// Frames of memory.
  public let frameCount: Int
  private let memory: UnsafeMutablePointer<UInt64>
  private let window: UnsafeMutableRawPointer
  private let argumentWindow: UnsafeMutableRawPointer

  /// A page above all addresses of 32-bit guests.
  public let argumentPage = GuestVirtualAddress(1 << 39)

  /// Where the guest's window of argument memory begins.
  public static let windowBase = GuestVirtualAddress(0x40_0000)
  /// Its length.
  public static let windowSize = 64 * 1024

  /// How many more questions for preemption are answered with no; nil for always no.
  public var preemptAfter: Int?
  /// For each frame that some TLB may still let a guest read or write its owner then; else
  /// `.invalid`.
  public var readable: [DomainID]
  /// Those that it may let a guest write.
  public var writable: [DomainID]
  /// For each frame the domain whose TLBs may still reach it by a grant; else `.invalid`.
  public var granted: [DomainID]
  private var hasTranslations = false
  /// How often everything was flushed.
  public var flushCount = 0
  /// Single addresses that were flushed.
  public var invalidated: [GuestVirtualAddress] = []
  /// The table that was loaded last.
  public var loadedTable: MachineFrame?
  /// Writes to the window fail from here on: the guest has it mapped read-only.
  public var isWindowReadOnly = false
  /// Work waits for ever.
  public var isAlwaysPreempted = false
  /// The vcpus that were woken, in order.
  public var woken: [UnsafeMutablePointer<VCPU>] = []
  /// The vcpus that were stopped, in order.
  public var stopped: [UnsafeMutablePointer<VCPU>] = []
  /// What another processor does to a frame's word just before it is exchanged.
  public var interference: ((MachineFrame, UnsafeMutablePointer<UInt64>) -> Void)?
  /// Lines of devices that may interrupt.
  public var openLines: Set<Int> = []
  /// What another processor does during a flush.
  public var whileFlushing: (() -> Void)?
  /// It is alone in the core; tests of what runs beside others set this to false.
  public var holdsAll = true
  /// What was done wants to be alone.
  public var hasAskedForAll = false
  /// System time.
  public var now: UInt64 = 0

  /// A machine with so many frames of zeroed memory.
  public init(frameCount: Int) {
    self.frameCount = frameCount
    readable = Array(repeating: .invalid, count: frameCount)
    writable = readable
    granted = readable
    memory = .allocate(capacity: frameCount * 512)
    memory.initialize(repeating: 0, count: frameCount * 512)
    window = .allocate(byteCount: Self.windowSize, alignment: 4096)
    window.initializeMemory(as: UInt8.self, repeating: 0, count: Self.windowSize)
    argumentWindow = .allocate(byteCount: 4096, alignment: 4096)
    argumentWindow.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
  }

  deinit {
    argumentWindow.deallocate()
    memory.deallocate()
    window.deallocate()
  }

  public func words(of frame: MachineFrame) -> UnsafeMutablePointer<UInt64> {
    precondition(frame.number < frameCount, "Frame outside memory")
    return memory + Int(frame.number) * 512
  }

  public func clear(_ frame: MachineFrame) {
    words(of: frame).update(repeating: 0, count: 512)
  }

  public func copy(_ source: MachineFrame, to destination: MachineFrame) {
    words(of: destination).update(from: words(of: source), count: 512)
  }

  private func place(
    _ address: GuestVirtualAddress, _ byteCount: Int
  ) throws(GuestMemoryFault) -> UnsafeMutableRawPointer {
    if address.value >> 12 == argumentPage.value >> 12 {
      let offset = Int(address.value & 0xfff)
      guard byteCount <= 4096 - offset else { throw GuestMemoryFault(at: address) }
      return argumentWindow + offset
    }
    let (offset, overflow) = address.value.subtractingReportingOverflow(Self.windowBase.value)
    guard !overflow, offset <= UInt64(Self.windowSize), byteCount <= Self.windowSize - Int(offset)
    else { throw GuestMemoryFault(at: address) }
    return window + Int(offset)
  }

  public func copyIn(
    _ destination: UnsafeMutableRawPointer, from source: GuestVirtualAddress, byteCount: Int
  ) throws(GuestMemoryFault) {
    destination.copyMemory(from: try place(source, byteCount), byteCount: byteCount)
  }

  public func copyOut(
    to destination: GuestVirtualAddress, from source: UnsafeRawPointer, byteCount: Int
  ) throws(GuestMemoryFault) {
    if isWindowReadOnly, destination.value < argumentPage.value {
      throw GuestMemoryFault(at: destination)
    }
    try place(destination, byteCount).copyMemory(from: source, byteCount: byteCount)
  }

  /// Puts words into the guest's window.
  public func poke(_ words: [UInt64], at offset: Int) {
    for (index, word) in words.enumerated() {
      window.storeBytes(of: word, toByteOffset: offset + index * 8, as: UInt64.self)
    }
  }

  /// Puts a 32-bit word into the guest's window.
  public func poke(half: UInt32, at offset: Int) {
    window.storeBytes(of: half, toByteOffset: offset, as: UInt32.self)
  }

  /// Reads a 32-bit word of the guest's window.
  public func peek(half offset: Int) -> UInt32 {
    window.load(fromByteOffset: offset, as: UInt32.self)
  }

  /// Reads a word of the guest's window.
  public func peek(_ offset: Int) -> UInt64 {
    window.load(fromByteOffset: offset, as: UInt64.self)
  }

  public func compareExchange(
    _ word: UnsafeMutablePointer<UInt64>, expected: UInt64, desired: UInt64
  ) -> UInt64 {
    if let interference, word >= memory, word < memory + frameCount * 512 {
      interference(MachineFrame(UInt64((word - memory) / 512)), word)
    }
    let found = word.pointee
    if found == expected { word.pointee = desired }
    return found
  }

  public func setBit(_ bit: Int, of word: UnsafeMutablePointer<UInt64>) -> Bool {
    let bits = UInt64(1) << UInt64(bit)
    defer { word.pointee |= bits }
    return word.pointee & bits != 0
  }

  public func clearBit(_ bit: Int, of word: UnsafeMutablePointer<UInt64>) -> Bool {
    let bits = UInt64(1) << UInt64(bit)
    defer { word.pointee &= ~bits }
    return word.pointee & bits != 0
  }

  public func askForAll() { hasAskedForAll = true }
  public func take(_ lock: UnsafeMutablePointer<DomainLock>) {
    precondition(lock.pointee.held == 0, "The lock is taken already")
    lock.pointee.held = 1
  }
  public func release(_ lock: UnsafeMutablePointer<DomainLock>) {
    precondition(lock.pointee.held == 1, "The lock is not taken")
    lock.pointee.held = 0
  }

  public var currentProcessor: ProcessorID { ProcessorID(0) }
  public func invalidatePage(_ address: GuestVirtualAddress) { invalidated.append(address) }
  public func invalidatePage(_ address: GuestVirtualAddress, on processors: ProcessorSet) {
    invalidated.append(address)
  }
  /// Notes that a TLB may hold a translation of a frame from now on.
  func noteTranslation(of frame: Int, owner: DomainID, isWritable: Bool, grantedTo user: DomainID?)
  {
    hasTranslations = true
    if let user { granted[frame] = user }
    readable[frame] = owner
    if isWritable { writable[frame] = owner }
  }

  public func flushTLB() {
    flushCount += 1
    whileFlushing?()
    guard hasTranslations else { return }
    hasTranslations = false
    for index in 0..<frameCount {
      readable[index] = .invalid
      writable[index] = .invalid
      granted[index] = .invalid
    }
  }
  public func flushTLB(on processors: ProcessorSet) {
    if processors.contains(currentProcessor) { flushTLB() }
  }
  public func loadPageTableBase(_ table: MachineFrame) { loadedTable = table }
  public func flushCaches(everywhere: Bool) {}
  public func wake(_ vcpu: UnsafeMutablePointer<VCPU>) { woken.append(vcpu) }
  public func stop(_ vcpu: UnsafeMutablePointer<VCPU>) { stopped.append(vcpu) }
  public var isPreemptionPending: Bool {
    if isAlwaysPreempted { return true }
    guard let left = preemptAfter else { return false }
    preemptAfter = left > 0 ? left - 1 : nil
    return left == 0
  }
  public func pause() {}

  public var interruptLineCount: Int { 24 }
  public func isOwnInterruptLine(_ line: Int) -> Bool { line == Self.ownLine }
  /// The line that no domain gets.
  public static var ownLine: Int { 6 }
  public func openInterruptLine(_ line: Int, _ interrupt: PhysicalInterrupt) {
    openLines.insert(line)
  }
  public func closeInterruptLine(_ line: Int) { openLines.remove(line) }
}
