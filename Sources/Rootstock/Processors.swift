// The machine's CPUs: how the further ones are started, and how one CPU interrupts another.
// Intel SDM volume 3, 9.4 (INIT-SIPI-SIPI).

import CMachine
import HypervisorCore

/// The CPUs that run.
enum Processors {
  // SAFETY: written by the boot CPU alone, while it starts the others one by one.
  nonisolated(unsafe) static var online = ProcessorSet(bits: 1)
  nonisolated(unsafe) static var count = 1
  // SAFETY: a word that CPUs change by atomic instructions, or the boot CPU before they run.
  nonisolated(unsafe) private static var arrived: UInt64 = 1
  nonisolated(unsafe) private static var mayRun: UInt64 = 0

  /// Starts every further CPU that ACPI lists, up to `cpus=` of the command line.
  ///
  /// They wait until `release`.
  static func startOthers() {
    let limit = Int(min(Host.boot.commandLine.number(of: "cpus=") ?? 64, 64))
    let own = xg_this_cpu().pointee.apic_id
    copyTrampoline()
    for place in 0..<Host.acpi.processorCount where count < limit {
      let apicID = Host.acpi.apicIDs[place]
      if UInt64(apicID) == own { continue }
      let index = count
      PerCPU.make(index, apicID: apicID)
      trampolineWord(2).pointee = UInt64(index)
      start(apicID)
      if waitForArrival(of: index) {
        online.insert(ProcessorID(UInt8(truncatingIfNeeded: index)))
        count += 1
      } else {
        log(.warning).text("the CPU with APIC number ").decimal(apicID).text(" does not start")
          .end()
      }
    }
  }

  /// Lets the further CPUs look for work.
  static func release() {
    xg_store_release(&mayRun, 1)
    interrupt(online, LocalAPIC.scheduleVector)
  }

  /// Called by a CPU that has begun: it says so, and waits for its work.
  static func arrive(_ index: UInt64) {
    _ = xg_fetch_or(&arrived, 1 << index)
    // Domains are built meanwhile, which flushes.
    while xg_load_acquire(&mayRun) == 0 {
      Shootdown.serve()
      xg_sti_halt_cli()
    }
  }

  /// Interrupts the processors of a set.
  static func interrupt(_ processors: ProcessorSet, _ vector: UInt8) {
    var rest = processors.bits
    while rest != 0 {
      let index = rest.trailingZeroBitCount
      rest &= rest - 1
      LocalAPIC.send(
        UInt32(vector), to: UInt32(truncatingIfNeeded: PerCPU.data(index).pointee.apic_id))
    }
  }

  private static func copyTrampoline() {
    let size = Int(xg_address_trampoline_end() - xg_address_trampoline_start())
    // SAFETY: the code lies in the image; its place is memory below 1 MiB, which nobody else uses.
    let code = UnsafeRawPointer(bitPattern: UInt(xg_address_trampoline_start())).unsafelyUnwrapped
    DirectMap.pointer(to: MachineAddress(UInt64(XG_TRAMPOLINE))).copyMemory(
      from: code, byteCount: size)
    trampolineWord(0).pointee = makeTrampolineTables().address.value
    trampolineWord(1).pointee = xg_address_start_processor()
  }

  /// The hypervisor's own top table with the trampoline's 2 MiB at their physical address as well,
  /// executable, which nothing else of memory is.
  private static func makeTrampolineTables() -> MachineFrame {
    let top = Host.takeFrame()
    let third = Host.takeFrame()
    let second = Host.takeFrame()
    let bits = EntryBits.present | EntryBits.writable
    DirectMap.words(of: top).update(from: DirectMap.words(of: HypervisorPages.top), count: 512)
    DirectMap.words(of: top)[0] = third.address.value | bits
    DirectMap.words(of: third)[0] = second.address.value | bits
    DirectMap.words(of: second)[0] = bits | EntryBits.large
    return top
  }

  /// One of the three words at the trampoline's end: Trampoline.S.
  private static func trampolineWord(_ index: Int) -> UnsafeMutablePointer<UInt64> {
    let size = Int(xg_address_trampoline_end() - xg_address_trampoline_start())
    let end = DirectMap.pointer(to: MachineAddress(UInt64(XG_TRAMPOLINE))) + size
    return (end - 24 + index * 8).assumingMemoryBound(to: UInt64.self)
  }

  private static func start(_ apicID: UInt32) {
    let assertInit: UInt32 = 0x4500
    let startup: UInt32 = 0x4600 | UInt32(XG_TRAMPOLINE) >> 12
    LocalAPIC.send(assertInit, to: apicID)
    wait(10_000_000)
    LocalAPIC.send(startup, to: apicID)
    wait(200_000)
    LocalAPIC.send(startup, to: apicID)
  }

  private static func waitForArrival(of index: Int) -> Bool {
    let deadline = Host.clock.now &+ 10_000_000_000
    while xg_load_acquire(&arrived) >> UInt64(index) & 1 == 0 {
      if Host.clock.now > deadline { return false }
      xg_pause()
    }
    return true
  }

  private static func wait(_ nanoseconds: UInt64) {
    let deadline = Host.clock.now &+ nanoseconds
    while Host.clock.now < deadline { xg_pause() }
  }
}

/// The first Swift code of a further CPU: Trampoline.S calls it on the CPU's own stack.
@c(rootstock_start_processor)
func startProcessor(index: UInt64) -> Never {
  PerCPU.load(Int(index))
  LocalAPIC.startProcessor()
  LocalAPIC.unmaskTimer()
  Processors.arrive(index)
  xg_write_cr3(HypervisorPages.top.address.value)
  HypervisorPages.flushAll()
  Switch.abandon()
}
