// From the boot allocator to HypervisorCore: tables over all frames, and what is free.

import CMachine
import HypervisorCore

/// The division of the machine's memory.
enum Memory {
  private static let domainCapacity = 128
  private static let vcpuCapacity = 1024

  /// Cleared memory of the hypervisor's own for values of a type, before `handOver`.
  static func take<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
    let pages = (MemoryLayout<T>.stride * count + 4095) >> 12
    let frame = Host.allocator.take(pages, from: Host.boot)
    return DirectMap.pointer(to: frame.address).bindMemory(to: type, capacity: count)
  }

  /// Makes HypervisorCore's tables and gives it every frame that is not in use.
  ///
  /// Nothing can be taken from the boot allocator any more.
  static func handOver() {
    MachineToPhysical.make()
    MachineToPhysical.makeCompat()
    ArgumentPages.make()
    let count = MachineToPhysical.count
    let records = take(FrameRecord.self, count: Int(count))
    let slots = take(Domain.self, count: domainCapacity)
    let state = take(HypervisorState.self, count: 1)
    state.initialize(to: HypervisorState(online: Processors.online))
    for index in 0..<Host.boot.regionCount {
      let region = Host.boot.regions[index]
      state.pointee.add(
        MachineRegion(
          start: region.range.start, size: region.range.end - region.range.start,
          type: region.type))
    }
    state.pointee.frameNumberLimit = 1 << (Features.addressWidth - 12)
    state.pointee.compatWindow = MachineToPhysical.compatTable
    state.pointee.compatWindowCount = MachineToPhysical.compatPageCount
    state.pointee.argumentEntry = ArgumentPages.entry
    let top = DirectMap.words(of: HypervisorPages.top)
    for index in 0..<Int(XG_HOLE_SLOTS) {
      state.pointee.reservedEntries[index] = top[Int(XG_HOLE_FIRST_SLOT) + index]
    }
    Host.core = Hypervisor(
      machine: MetalMachine(), frames: FrameTable(records: records, count: count),
      physicalFrames: MachineToPhysicalTable(
        entries: MachineToPhysical.words, compatEntries: MachineToPhysical.compatWords,
        count: count),
      domains: DomainTable(slots: slots, capacity: domainCapacity), state: state)
    Host.guestCommandLine = take(UInt8.self, count: 1024)
    makeScheduler()
    giveFrames(below: count)
    Host.hypervisor.flushLocal()
  }

  private static func makeScheduler() {
    let scheduler = Scheduler(
      entries: take(SchedulerEntry.self, count: vcpuCapacity),
      queue: take(Int32.self, count: vcpuCapacity),
      groups: take(Int32.self, count: domainCapacity), capacity: vcpuCapacity,
      groupCount: domainCapacity)
    Switch.start(scheduler, slots: take(UInt64.self, count: vcpuCapacity))
    let timerCount = vcpuCapacity + domainCapacity
    let queues = take(TimerQueue.self, count: Processors.count)
    for index in 0..<Processors.count {
      (queues + index).initialize(
        to: TimerQueue(
          heap: take(TimerEntry.self, count: timerCount),
          places: take(Int32.self, count: timerCount), capacity: timerCount))
    }
    Timers.start(queues: queues, vcpuCapacity: vcpuCapacity)
  }

  /// The number of a domain's place in the domain table.
  static func slot(of domain: DomainPointer) -> Int {
    Int(domain.pointee.id.rawValue) % domainCapacity
  }

  /// From high to low, because the list gives out what came last first.
  private static func giveFrames(below count: UInt64) {
    let firstFree = Host.allocator.firstFree
    for index in stride(from: Host.boot.regionCount - 1, through: 0, by: -1)
    where Host.boot.regions[index].isRAM {
      let range = Host.boot.regions[index].range
      let first = (range.start + 0xfff) >> 12
      var number = range.end >> 12
      while number > first {
        number -= 1
        let page = MemoryRange(start: number << 12, end: number << 12 + 4096)
        let isTaken =
          page.start < firstFree || Host.allocator.endOfReserved(overlapping: page) != nil
        if isTaken {
          Host.hypervisor.reserve(MachineFrame(number))
        } else {
          Host.hypervisor.addFree(MachineFrame(number))
        }
      }
    }
  }
}
