// Domain 0: its memory, its vcpu and its start.

import CMachine
import CXenABI
import HypervisorCore

/// The domain that the first boot module becomes.
enum FirstDomain {
  /// Builds it and enters it.
  static func start() -> Never {
    let pages = pageCount()
    let ramdisk = Host.boot.moduleCount > 1 ? Host.boot.modules[1] : nil
    let storage = Storage(pages)
    Memory.handOver()
    let hypervisor = Host.hypervisor
    let record = Domain(id: DomainID(0), vcpus: storage.core, vcpuCount: 1)
    guard let domain = hypervisor.createDomain(record),
      let sharedInfo = hypervisor.allocateShared(for: domain)
    else { panic("no memory for the first domain") }
    domain.pointee.isPrivileged = true
    domain.pointee.sharedInfo = sharedInfo
    do throws(ImageError) {
      let builder = try DomainBuilder(
        Host.boot.modules[0], ramdisk: ramdisk, pageCount: pages, for: domain,
        scratch: storage.list)
      builder.writePhysicalList()
      builder.writeStartInfo(
        sharedInfo: sharedInfo, ramdiskSize: ramdisk.map { $0.end - $0.start } ?? 0)
      builder.writePageTables()
      fill(sharedInfo)
      enter(builder, domain, storage)
    } catch {
      log(.error).text("the guest cannot be started: ").text(error.text).end()
      Power.off(status: 1)
    }
  }

  /// The hypervisor's memory for the domain, taken before the rest becomes the domains'.
  private struct Storage {
    let vcpu: GuestProcessorPointer
    let core: UnsafeMutablePointer<VCPU>
    let floatingPoint: UnsafeMutableRawPointer
    let list: UnsafeMutablePointer<UInt64>

    init(_ pages: UInt64) {
      vcpu = Memory.take(GuestProcessor.self, count: 1)
      core = Memory.take(VCPU.self, count: 1)
      floatingPoint = DirectMap.pointer(to: Host.takeFrame().address)
      list = Memory.take(UInt64.self, count: Int(pages))
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

  /// Validates what was built as if the guest had made it, and goes there.
  private static func enter(
    _ builder: DomainBuilder, _ domain: DomainPointer, _ storage: Storage
  ) -> Never {
    let layout = builder.layout
    FloatingPoint.makeClean(storage.floatingPoint)
    let vcpu = storage.vcpu
    vcpu.initialize(
      to: GuestProcessor(
        domain: domain, core: storage.core,
        shared: vcpuInfos(domain.pointee.sharedInfo ?? MachineFrame(0)),
        floatingPoint: storage.floatingPoint))
    let top = builder.frame(layout.pageTables.firstPage)
    do throws(MemoryError) {
      try Host.hypervisor.pin(top, level: 4, of: domain)
      try Host.hypervisor.loadKernelTable(top, for: vcpu.pointee.caller)
    } catch {
      panic("the boot page tables of a domain are refused")
    }
    var frame = xg_frame()
    frame.rip = builder.image.entry
    frame.rsi = layout.address(of: layout.startInfo.start)
    frame.rsp = layout.address(of: layout.stack.end)
    frame.rflags = Flags.interrupt | Flags.always
    frame.cs = UInt64(XG_GUEST_CS64)
    frame.ss = UInt64(XG_GUEST_SS)
    log(.info).text("start: domain=0 memory=").decimal(builder.pageCount >> 8)
      .text("MiB entry=").hex(frame.rip).text(" start-info=").hex(frame.rsi).end()
    let cpu = xg_this_cpu()
    let place = UInt(bitPattern: cpu) + UInt(XG_BLOCK_SIZE - XG_FRAME_SIZE)
    // SAFETY: the frame's place at the top of the main stack; Start.swift runs below it.
    FramePointer(bitPattern: place).unsafelyUnwrapped.pointee = frame
    cpu.pointee.vcpu = UInt64(UInt(bitPattern: vcpu))
    vcpu.pointee.load()
    xg_enter_guest(cpu)
  }
}
