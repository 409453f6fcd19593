// The control interface, for domain 0: HypervisorCore's, under the core lock, and what builds domains.
// rootstock.h is the contract.

import CMachine
import CRootstock
import CXenABI
import HypervisorCore

extension GuestProcessor {
  mutating func control(_ arguments: HypercallArguments) -> HypercallResult {
    let operation = arguments.command(0)
    let address = arguments.address(1)
    let result = answer { () throws(HypercallError) in
      try withCore { () throws(HypercallError) in
        switch operation {
        case ROOTSTOCK_BUILD_DOMAIN: try buildDomain(at: address)
        case ROOTSTOCK_RESUME_DOMAIN: try resumeDomain(at: address)
        case ROOTSTOCK_RECORD_DOMAIN: try recordDomain(at: address)
        case ROOTSTOCK_SHIFT_CLOCK: try shiftClock(at: address)
        default: try Host.hypervisor.control(operation, address, from: caller)
        }
      }
    }
    // The call is made again until nothing of the domain runs any more.
    if operation == ROOTSTOCK_PAUSE_DOMAIN, case .value = result, isRunning(domainAt: address) {
      return .again
    }
    // Likewise for a domain that is suspended, whose vcpus are on their way out.
    if operation == ROOTSTOCK_RECORD_DOMAIN || operation == ROOTSTOCK_RESUME_DOMAIN,
      result == .error(.tryAgain)
    {
      return .again
    }
    return result
  }

  private func isRunning(domainAt address: GuestVirtualAddress) -> Bool {
    guard let number = GuestMemory.load(UInt16(0), from: address) else { return false }
    return withCore {
      guard let domain = Host.hypervisor.domains.find(DomainID(number)), domain.pointee.isPaused
      else { return false }
      return Switch.runs(domain)
    }
  }

  /// ROOTSTOCK_BUILD_DOMAIN.
  ///
  /// Not interrupted: who has privilege can keep the others waiting, by as long as it takes to clear the
  /// memory that it asks for.
  private func buildDomain(at address: GuestVirtualAddress) throws(HypercallError) -> Int64 {
    guard domain.pointee.isPrivileged else { throw .notPermitted }
    guard let request = GuestMemory.load(rootstock_build(), from: address) else { throw .fault }
    guard request.zero == 0, request.memory > 0, request.vcpus > 0,
      Int(request.vcpus) <= GuestDomain.vcpuLimit, request.length <= UInt32(ROOTSTOCK_COMMAND_LINE)
    else { throw .invalid }
    let isRamdiskThere =
      request.ramdisk == UInt16(ROOTSTOCK_NO_MODULE)
      || DomainStart.module(Int(request.ramdisk)) != nil
    let arguments = request.arguments > 0 ? DomainStart.module(Int(request.arguments) - 1) : nil
    guard DomainStart.module(Int(request.kernel)) != nil, isRamdiskThere,
      request.arguments == 0 || arguments != nil
    else { throw .noEntry }
    let hypervisor = Host.hypervisor
    guard UInt64(request.memory) << 8 < hypervisor.state.pointee.freeCount else { throw .noMemory }
    let id = try DomainNumbers.choose(request.domain)
    // Told before, so that there is no domain of which nobody knows.
    guard GuestMemory.store(id.rawValue, to: address) else { throw .fault }
    guard let page = hypervisor.allocateOwn() else { throw .noMemory }
    defer { hypervisor.freeOwn(page) }
    let text = DirectMap.pointer(to: page.address)
    guard
      GuestMemory.read(
        text, from: GuestVirtualAddress(request.command_line), count: Int(request.length))
    else { throw .fault }
    var plan = DomainPlan()
    plan.kernel = Int(request.kernel)
    plan.ramdisk = request.ramdisk == UInt16(ROOTSTOCK_NO_MODULE) ? nil : Int(request.ramdisk)
    plan.memory = UInt64(request.memory)
    plan.vcpus = Int(request.vcpus)
    plan.weight = request.weight != 0 ? request.weight : plan.weight
    plan.isPaused = true
    do throws(StartFailure) {
      try DomainStart.build(
        plan, id,
        commandLine: arguments
          ?? ImageBytes(UnsafeRawPointer(text), count: UInt64(request.length)))
    } catch {
      log(.warning).text("domain ").decimal(id.rawValue).text(" cannot be built: ")
        .text(error.text).end()
      throw error.error
    }
    return 0
  }
}

/// The numbers of domains that are built later; the core lock is held.
private enum DomainNumbers {
  // SAFETY: under the core lock.
  /// The last that was given.
  nonisolated(unsafe) private static var last: UInt16 = 0

  /// The number wanted, or for 0 the next that is free: numbers of the dead are not used again soon.
  static func choose(_ wanted: UInt16) throws(HypercallError) -> DomainID {
    guard wanted < UInt16(DOMID_FIRST_RESERVED) else { throw .invalid }
    if wanted != 0 {
      guard isFree(wanted) else { throw .exists }
      return DomainID(wanted)
    }
    for _ in 0..<Host.hypervisor.domains.capacity {
      last = last + 1 < UInt16(DOMID_FIRST_RESERVED) ? last + 1 : 1
      if isFree(last) { return DomainID(last) }
    }
    throw .noSpace
  }

  /// Whether its place in the domain table is free: numbers share places.
  private static func isFree(_ number: UInt16) -> Bool {
    let domains = Host.hypervisor.domains
    return domains[Int(number) % domains.capacity] == nil
  }
}
