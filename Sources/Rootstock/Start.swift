// From the boot assembly to the first guest. Boot.S calls rootstock_start.

import CMachine

/// Brings the machine up, builds the first domain and enters it.
@c(rootstock_start)
func start(startInfo: UInt32) -> Never {
  Serial.start()
  guard Host.boot.read(startInfo: startInfo) else { panic("no memory map from the boot loader") }
  readOptions()
  log(.info).text("Rootstock starts").end()
  reserveMemory()
  HypervisorPages.completeDirectMap()
  HypervisorPages.protectImage()
  HypervisorPages.dropBootMapping()
  Host.acpi.read(rootPointer: Host.boot.rootPointer)
  InterruptTable.make()
  PerCPU.make(0, apicID: 0)
  PerCPU.load(0)
  LocalAPIC.start()
  InterruptController.start()
  Host.clock.calibrate()
  report()
  // The boot stack has no guard page and no block; the rest runs on the CPU's main stack, below
  // the place of a guest's frame.
  xg_call_on_stack(PerCPU.block(0) + UInt64(XG_BLOCK_SIZE - 256), rootstock_run)
}

/// Goes on where every CPU has its stacks and traps work.
@c(rootstock_run)
func run() {
  xg_this_cpu().pointee.apic_id = UInt64(LocalAPIC.identifier)
  checkTimer()
  WallClock.read()
  Processors.startOthers()
  guard Host.boot.moduleCount > 0 else {
    log(.error).text("no guest: give one with -initrd, or as the first module").end()
    Power.off(status: 1)
  }
  guard GuestStorage.fits else { panic("a vcpu's state does not fit into its frame") }
  Memory.handOver()
  DomainStart.startAll()
  SerialInput.start()
  Processors.release()
  Switch.abandon()
}

/// Takes the options that are needed before anything is printed.
private func readOptions() {
  if let policy = Host.boot.commandLine.value(of: "policy=") {
    TrapRecord.isStrict = Host.boot.commandLine[policy] == 0x73
  }
  Whereabouts.start()
  OrderWatch.isOn = Host.boot.commandLine.hasWord("watch=order")
  if let level = Host.boot.commandLine.number(of: "loglevel=") {
    Log.limit = UInt8(min(level, UInt64(LogLevel.debug.rawValue)))
  }
}

/// Keeps what is in use out of the allocator's hands.
private func reserveMemory() {
  // Firmware, boot loader and hvm_start_info live below 1 MiB.
  Host.allocator.reserve(MemoryRange(start: 0, end: 0x100000))
  Host.allocator.reserve(
    MemoryRange(start: xg_address_boot_start(), end: xg_address_boot_end()))
  let size = xg_address_image_end() - UInt64(XG_IMAGE_BASE)
  let image = UInt64(XG_IMAGE_PHYSICAL)
  Host.allocator.reserve(MemoryRange(start: image, end: image + size))
  for index in 0..<Host.boot.moduleCount { Host.allocator.reserve(Host.boot.modules[index]) }
}

/// Prints what was found.
private func report() {
  for index in 0..<Host.boot.regionCount {
    let region = Host.boot.regions[index]
    log(.debug).text("memory ").hex(region.range.start).text(" to ").hex(region.range.end)
      .text(" type ").decimal(region.type).end()
  }
  for index in 0..<Host.boot.moduleCount {
    let module = Host.boot.modules[index]
    log(.debug).text("module ").hex(module.start).text(" to ").hex(module.end).end()
  }
  log(.info).text("memory up to ").hex(Host.boot.endOfMemory).text(", ")
    .decimal(Host.acpi.processorCount).text(" processors, TSC at ")
    .decimal(Host.clock.ticksPerSecond / 1000).text(" kHz, APIC timer at ")
    .decimal(Host.clock.apicTicksPerSecond / 1000).text(" kHz").end()
}

/// Sees one timer interrupt arrive, or says that none does.
private func checkTimer() {
  let cpu = xg_this_cpu()
  let before = cpu.pointee.ticks
  LocalAPIC.unmaskTimer()
  LocalAPIC.startOneShot(UInt32(truncatingIfNeeded: Host.clock.apicTicksPerSecond / 1000))
  // An emulator's may be late by whatever else its machine does.
  let deadline = Host.clock.now &+ 10_000_000_000
  xg_sti()
  while xg_ticks(cpu) == before && Host.clock.now < deadline { xg_pause() }
  xg_cli()
  cpu.pointee.work = 0
  if xg_ticks(cpu) == before { panic("the local APIC's timer does not interrupt") }
}
