// Domain 0: its memory, its vcpu and its start.

import CMachine
import CXenABI
import HypervisorCore

/// The domain that the first boot module becomes.
enum FirstDomain {
  private static let vcpuPages = (MemoryLayout<GuestProcessor>.size + 4095) / 4096

  /// Builds it and enters it.
  static func start() -> Never {
    MachineToPhysical.make()
    let ramdisk = Host.boot.moduleCount > 1 ? Host.boot.modules[1] : nil
    do throws(ImageError) {
      let builder = try DomainBuilder(
        Host.boot.modules[0], ramdisk: ramdisk, pageCount: pageCount())
      let sharedInfo = makeSharedInfo()
      builder.writePhysicalList()
      builder.writeStartInfo(
        sharedInfo: sharedInfo, ramdiskSize: ramdisk.map { $0.end - $0.start } ?? 0)
      builder.writePageTables()
      enter(builder, sharedInfo)
    } catch {
      log(.error).text("the guest cannot be started: ").text(error.text).end()
      Power.off(status: 1)
    }
  }

  /// `dom0_mem=` in MiB, or half of the machine's memory up to 256 MiB.
  private static func pageCount() -> UInt64 {
    let half = Host.boot.endOfMemory >> 21
    let size = Host.boot.commandLine.number(of: "dom0_mem=") ?? min(half, 256)
    return min(size, half * 2) << 8
  }

  /// The page that the domain shares with the hypervisor, every vcpu with its events masked.
  private static func makeSharedInfo() -> MachineFrame {
    let frame = Host.takeFrame()
    let info = vcpuInfos(frame)
    for index in 0..<Int(XEN_LEGACY_MAX_VCPUS) { info[index].evtchn_upcall_mask = 1 }
    Host.clock.describe(&info[0].time)
    return frame
  }

  /// vcpu_info is the first field of shared_info.
  private static func vcpuInfos(_ frame: MachineFrame) -> UnsafeMutablePointer<vcpu_info> {
    DirectMap.pointer(to: frame.address).assumingMemoryBound(to: vcpu_info.self)
  }

  private static func enter(_ builder: DomainBuilder, _ sharedInfo: MachineFrame) -> Never {
    let area = DirectMap.pointer(to: Host.takeFrame().address)
    FloatingPoint.makeClean(area)
    let place = DirectMap.pointer(
      to: Host.allocator.take(vcpuPages, from: Host.boot).address)
    let vcpu = place.bindMemory(to: GuestProcessor.self, capacity: 1)
    vcpu.initialize(
      to: GuestProcessor(
        domainID: DomainID(0), id: VCPUID(0), shared: vcpuInfos(sharedInfo), floatingPoint: area))
    let layout = builder.layout
    vcpu.pointee.kernelTable = builder.frame(layout.pageTables.firstPage)
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
    let top = UInt(bitPattern: cpu) + UInt(XG_BLOCK_SIZE - XG_FRAME_SIZE)
    // SAFETY: the frame's place at the top of the main stack; Start.swift runs below it.
    FramePointer(bitPattern: top).unsafelyUnwrapped.pointee = frame
    cpu.pointee.vcpu = UInt64(UInt(bitPattern: vcpu))
    vcpu.pointee.load()
    xg_enter_guest(cpu)
  }
}

extension Clock {
  /// Tells a guest how to turn the counter into system time: abi/time.yaml, vcpu_time_info.
  func describe(_ time: inout vcpu_time_info) {
    // The multiplier has 32 bits below the point, so a slow counter is shifted up first.
    var shift: Int8 = 0
    var rate = ticksPerSecond
    while rate > 0 && rate < 1_000_000_000 && shift < 31 {
      rate <<= 1
      shift += 1
    }
    time.version &+= 1
    time.tsc_timestamp = start
    time.system_time = 0
    time.tsc_to_system_mul = UInt32(truncatingIfNeeded: (1_000_000_000 << 32) / max(rate, 1))
    time.tsc_shift = shift
    time.version &+= 1
  }
}
