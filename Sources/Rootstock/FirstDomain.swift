// Domain 0: its memory, its vcpu and its start.

import CMachine
import CXenABI
import HypervisorCore

/// The domain that the first boot module becomes.
enum FirstDomain {
  /// Builds it and enters it.
  static func start() -> Never {
    let storage = Storage()
    Memory.handOver()
    let hypervisor = Host.hypervisor
    var record = Domain(id: DomainID(0), vcpus: VCPUTable(storage.table), vcpuCount: 1)
    record.isPrivileged = true
    record.pageLimit = pageCount()
    guard let domain = hypervisor.createDomain(record) else { panic("domain 0 exists already") }
    var request = StartRequest(
      kernel: bytes(of: Host.boot.modules[0]), pageCount: record.pageLimit, isInitial: true)
    if Host.boot.moduleCount > 1 { request.ramdisk = bytes(of: Host.boot.modules[1]) }
    request.commandLine = guestCommandLine(storage)
    do throws(ImageError) {
      let state = try hypervisor.build(request, in: domain)
      guard let sharedInfo = domain.pointee.sharedInfo else { panic("no shared information page") }
      fill(sharedInfo)
      log(.info).text("start: domain=0 memory=").decimal(record.pageLimit >> 8)
        .text("MiB entry=").hex(state.entry.value).text(" start-info=")
        .hex(state.startInfo.value).end()
      enter(state, domain, sharedInfo, storage)
    } catch {
      log(.error).text("the guest cannot be started: its image ").text(error.text).end()
      Power.off(status: 1)
    }
  }

  /// A boot module, which stays where it is while the domain is built.
  private static func bytes(of module: MemoryRange) -> ImageBytes {
    ImageBytes(
      DirectMap.pointer(to: MachineAddress(module.start)), count: module.end - module.start)
  }

  /// What stands behind ` -- ` in the hypervisor's command line is the guest's.
  private static func guestCommandLine(_ storage: Storage) -> ImageBytes? {
    guard var source = Host.boot.commandLine.value(of: "--") else { return nil }
    while Host.boot.commandLine[source] == 0x20 { source += 1 }
    var count = 0
    while Host.boot.commandLine[source + count] != 0 {
      storage.commandLine[count] = Host.boot.commandLine[source + count]
      count += 1
    }
    return ImageBytes(UnsafeRawPointer(storage.commandLine), count: UInt64(count))
  }

  /// The hypervisor's memory for the domain, taken before the rest becomes the domains'.
  private struct Storage {
    let vcpu: GuestProcessorPointer
    let core: UnsafeMutablePointer<VCPU>
    let table: UnsafeMutablePointer<UnsafeMutablePointer<VCPU>>
    let floatingPoint: UnsafeMutableRawPointer
    /// As long as the hypervisor's own command line.
    let commandLine: UnsafeMutablePointer<UInt8>

    init() {
      vcpu = Memory.take(GuestProcessor.self, count: 1)
      core = Memory.take(VCPU.self, count: 1)
      core.initialize(to: VCPU(id: VCPUID(0)))
      table = Memory.take(UnsafeMutablePointer<VCPU>.self, count: 1)
      table.initialize(to: core)
      floatingPoint = DirectMap.pointer(to: Host.takeFrame().address)
      commandLine = Memory.take(UInt8.self, count: 1024)
    }
  }

  /// `dom0_mem=` in MiB, or half of the machine's memory up to 256 MiB.
  private static func pageCount() -> UInt64 {
    let half = Host.boot.endOfMemory >> 21
    let size = Host.boot.commandLine.number(of: "dom0_mem=") ?? min(half, 256)
    return min(size, half * 2) << 8
  }

  /// Every vcpu's events are masked at the start.
  private static func fill(_ sharedInfo: MachineFrame) {
    let info = vcpuInfos(sharedInfo)
    for index in 0..<Int(XEN_LEGACY_MAX_VCPUS) { info[index].evtchn_upcall_mask = 1 }
    Host.clock.describe(&info[0].time)
  }

  /// vcpu_info is the first field of shared_info.
  private static func vcpuInfos(_ frame: MachineFrame) -> UnsafeMutablePointer<vcpu_info> {
    DirectMap.pointer(to: frame.address).assumingMemoryBound(to: vcpu_info.self)
  }

  /// Gives the vcpu its registers and goes there.
  private static func enter(
    _ state: StartState, _ domain: DomainPointer, _ sharedInfo: MachineFrame, _ storage: Storage
  ) -> Never {
    FloatingPoint.makeClean(storage.floatingPoint)
    let vcpu = storage.vcpu
    vcpu.initialize(
      to: GuestProcessor(
        domain: domain, core: storage.core, shared: vcpuInfos(sharedInfo),
        floatingPoint: storage.floatingPoint))
    var frame = xg_frame()
    frame.rip = state.entry.value
    frame.rsi = state.startInfo.value
    frame.rsp = state.stack.value
    frame.rflags = Flags.interrupt | Flags.always
    frame.cs = UInt64(XG_GUEST_CS64)
    frame.ss = UInt64(XG_GUEST_SS)
    let cpu = xg_this_cpu()
    let place = UInt(bitPattern: cpu) + UInt(XG_BLOCK_SIZE - XG_FRAME_SIZE)
    // SAFETY: the frame's place at the top of the main stack; Start.swift runs below it.
    FramePointer(bitPattern: place).unsafelyUnwrapped.pointee = frame
    cpu.pointee.vcpu = UInt64(UInt(bitPattern: vcpu))
    vcpu.pointee.load()
    xg_enter_guest(cpu)
  }
}
