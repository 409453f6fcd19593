// The frames behind domains and vcpus: taken from the free ones, so that a domain's end gives them
// back, and never mapped for a guest.
//
//     a vcpu: 0000  VCPU    0400  OrderState    0800  GuestProcessor    0fc0  a vcpu_info for vcpus that have no other
//             a frame for its trap table, a frame for its floating-point state

import CMachine
import CXenABI
import HypervisorCore

/// Takes and gives back the frames of domains and vcpus.
enum GuestStorage {
  private static let orderOffset = 1024
  private static let processorOffset = 2048
  private static let infoOffset = 4096 - MemoryLayout<vcpu_info>.size

  /// Whether everything fits where it is put; asked once at the start.
  static var fits: Bool {
    MemoryLayout<VCPU>.size <= orderOffset
      && orderOffset + MemoryLayout<OrderState>.size <= processorOffset
      && processorOffset + MemoryLayout<GuestProcessor>.size <= infoOffset
      && MemoryLayout<GuestDomain>.size <= 2048
      && MemoryLayout<TrapRecord>.size <= 4096
      && MemoryLayout<EntryPoint>.stride * 256 <= 4096
  }

  /// State for a domain at a place in the table, without vcpus; `nil` if there is no memory.
  static func makeDomain(
    id: DomainID, vcpuCount: Int, _ hypervisor: Hypervisor<MetalMachine>
  ) -> DomainPointer? {
    guard let state = take(hypervisor) else { return nil }
    guard let record = take(hypervisor) else {
      give(state, hypervisor)
      return nil
    }
    let table = GuestDomain.vcpuTable(in: state)
    var count = 0
    while count < vcpuCount, let vcpu = makeVCPU(count, hypervisor) {
      table[count] = vcpu
      count += 1
    }
    guard count == vcpuCount,
      let domain = hypervisor.createDomain(
        Domain(id: id, vcpus: VCPUTable(table), vcpuCount: vcpuCount))
    else {
      for index in 0..<count { free(table[index], hypervisor) }
      give(record, hypervisor)
      give(state, hypervisor)
      return nil
    }
    let trapRecord = record.bindMemory(to: TrapRecord.self, capacity: 1)
    trapRecord.initialize(to: TrapRecord())
    state.bindMemory(to: GuestDomain.self, capacity: 1)
      .initialize(to: GuestDomain(domain: domain, record: trapRecord))
    domain.pointee.context = state
    for index in 0..<vcpuCount { table[index].pointee.guest.pointee.adopt(domain) }
    return domain
  }

  /// A vcpu's state, clean.
  private static func makeVCPU(
    _ index: Int, _ hypervisor: Hypervisor<MetalMachine>
  ) -> UnsafeMutablePointer<VCPU>? {
    guard let frame = take(hypervisor) else { return nil }
    guard let traps = take(hypervisor) else {
      give(frame, hypervisor)
      return nil
    }
    guard let floatingPoint = take(hypervisor) else {
      give(frame, hypervisor)
      give(traps, hypervisor)
      return nil
    }
    let core = frame.bindMemory(to: VCPU.self, capacity: 1)
    core.initialize(to: VCPU(id: VCPUID(UInt32(truncatingIfNeeded: index))))
    let table = traps.bindMemory(to: EntryPoint.self, capacity: 256)
    table.initialize(repeating: EntryPoint(), count: 256)
    FloatingPoint.makeClean(floatingPoint)
    let info = (frame + infoOffset).bindMemory(to: vcpu_info.self, capacity: 1)
    info.pointee.evtchn_upcall_mask = 1
    let order = (frame + orderOffset).bindMemory(to: OrderState.self, capacity: 1)
    order.initialize(to: OrderState())
    let guest = (frame + processorOffset).bindMemory(to: GuestProcessor.self, capacity: 1)
    guest.initialize(
      to: GuestProcessor(
        core: core, traps: table, info: info, floatingPoint: floatingPoint, order: order))
    core.pointee.context = UnsafeMutableRawPointer(guest)
    return core
  }

  /// The vcpu_info of a vcpu that has no other.
  static func ownInfo(of vcpu: UnsafeMutablePointer<VCPU>) -> UnsafeMutablePointer<vcpu_info> {
    // SAFETY: made with the vcpu, in its frame.
    (UnsafeMutableRawPointer(vcpu) + infoOffset).assumingMemoryBound(to: vcpu_info.self)
  }

  /// Gives everything back that `makeDomain` has taken.
  ///
  /// The domain is dead, and its slot in the table is free.
  static func free(
    _ state: UnsafeMutableRawPointer, vcpuCount: Int, _ hypervisor: Hypervisor<MetalMachine>
  ) {
    let table = GuestDomain.vcpuTable(in: state)
    for index in 0..<vcpuCount { free(table[index], hypervisor) }
    give(
      UnsafeMutableRawPointer(state.assumingMemoryBound(to: GuestDomain.self).pointee.record),
      hypervisor)
    give(state, hypervisor)
  }

  private static func free(
    _ vcpu: UnsafeMutablePointer<VCPU>, _ hypervisor: Hypervisor<MetalMachine>
  ) {
    let guest = vcpu.pointee.guest
    give(UnsafeMutableRawPointer(guest.pointee.traps), hypervisor)
    give(guest.pointee.floatingPoint, hypervisor)
    hypervisor.freeMonitorTable(of: vcpu)
    give(UnsafeMutableRawPointer(vcpu), hypervisor)
  }

  private static func take(
    _ hypervisor: Hypervisor<MetalMachine>
  ) -> UnsafeMutableRawPointer? {
    guard let frame = hypervisor.allocateOwn() else { return nil }
    return DirectMap.pointer(to: frame.address)
  }

  private static func give(
    _ page: UnsafeMutableRawPointer, _ hypervisor: Hypervisor<MetalMachine>
  ) {
    // SAFETY of the sum: the page was reached through the direct map.
    let address = UInt64(UInt(bitPattern: page)) - UInt64(XG_DIRECT_BASE)
    hypervisor.freeOwn(MachineAddress(address).frame)
  }
}
