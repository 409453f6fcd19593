// What domain 0 is told about other domains, and what each has from its start to talk to domain 0:
// two pages, granted, and two ports. rootstock.h is the contract.

import CRootstock
import CXenABI

/// The pages and ports by which domain 0 serves a domain.
public struct DomainWiring: Hashable, Sendable {
  /// The domain's end of the store's channel; 0 for none.
  public internal(set) var storePort = EventPort(0)
  /// The domain's end of the console's channel; 0 for none.
  public internal(set) var consolePort = EventPort(0)
  /// The page for xenstore.
  public internal(set) var storePage: MachineFrame?
  /// The page for the console.
  public internal(set) var consolePage: MachineFrame?
}

extension DomainID {
  /// Domain 0, which serves the others.
  public static var control: Self { Self(0) }
}

extension Hypervisor {
  /// Builds a domain that another one will serve: with a port for each of xenstore and console, and
  /// their pages granted under the references that the ABI reserves.
  public func build(
    _ request: StartRequest, in domain: DomainPointer, servedBy server: DomainID
  ) throws(ImageError) -> StartState {
    var request = request
    do throws(HypercallError) {
      request.storePort = try allocateUnbound(for: server, in: domain)
      request.consolePort = try allocateUnbound(for: server, in: domain)
    } catch {
      throw .tooLittleMemory
    }
    let state = try build(request, in: domain)
    domain.pointee.wiring = DomainWiring(
      storePort: request.storePort, consolePort: request.consolePort, storePage: state.storePage,
      consolePage: state.consolePage)
    do throws(HypercallError) {
      if let page = state.consolePage {
        try reserveGrant(
          GrantReference(UInt32(GNTTAB_RESERVED_CONSOLE)), of: domain, to: server, frame: page)
      }
      if let page = state.storePage {
        try reserveGrant(
          GrantReference(UInt32(GNTTAB_RESERVED_XENSTORE)), of: domain, to: server, frame: page)
      }
    } catch {
      throw .tooLittleMemory
    }
    return state
  }

  /// The control interface, ROOTSTOCK_CONTROL, but for what builds domains.
  ///
  /// A bad guest would ask without privilege. Vcpus of a domain that was paused may still run on other
  /// processors when this returns.
  public func control(
    _ operation: Int32, _ argument: GuestVirtualAddress, from caller: Caller
  ) throws(HypercallError) -> Int64 {
    let isKnown =
      operation == ROOTSTOCK_NEXT_DOMAIN || operation == ROOTSTOCK_START_DOMAIN
      || operation == ROOTSTOCK_PAUSE_DOMAIN || operation == ROOTSTOCK_KEEP_SUSPENDED
      || operation == ROOTSTOCK_LIMIT_DOMAIN
    guard isKnown else { throw .noSuchCall }
    guard caller.domain.pointee.isPrivileged else { throw .notPermitted }
    let number = try readQuarter(at: argument)
    switch operation {
    case ROOTSTOCK_START_DOMAIN: try letRun(DomainID(number))
    case ROOTSTOCK_PAUSE_DOMAIN: try pause(DomainID(number), for: caller)
    case ROOTSTOCK_KEEP_SUSPENDED:
      let domain = try living(DomainID(number))
      // Who suspended itself could never be resumed.
      guard domain != caller.domain else { throw .invalid }
      domain.pointee.isKeptSuspended = true
    case ROOTSTOCK_LIMIT_DOMAIN:
      let (domain, value) = try change(at: argument)
      guard value >= 0 else { throw .invalid }
      domain.pointee.pageLimit = UInt64(value)
    default:
      guard let domain = nextDomain(from: number) else { throw .noDomain }
      try describe(domain, to: argument)
    }
    return 0
  }

  /// The argument of a call that changes a domain: a domain that has not ended, and the value.
  ///
  /// The structure is read once, as a whole.
  public func change(
    at argument: GuestVirtualAddress
  ) throws(HypercallError) -> (domain: DomainPointer, value: Int64) {
    let change = try read(rootstock_change(), from: argument)
    return (try living(DomainID(change.domain)), change.value)
  }

  /// The domain that an argument names, one that has not ended.
  public func named(at argument: GuestVirtualAddress) throws(HypercallError) -> DomainPointer {
    try living(DomainID(try readQuarter(at: argument)))
  }

  /// A domain that has not ended.
  func living(_ id: DomainID) throws(HypercallError) -> DomainPointer {
    guard let domain = domains.find(id), !domain.pointee.isDying, domain.pointee.endReason == nil
    else { throw .noDomain }
    return domain
  }

  /// Lets the vcpus of a domain run that waits.
  private func letRun(_ id: DomainID) throws(HypercallError) {
    let domain = try living(id)
    guard domain.pointee.suspender == nil else { throw .invalid }
    guard domain.pointee.isPaused else { return }
    domain.pointee.isPaused = false
    for index in 0..<domain.pointee.vcpuCount where domain.pointee.vcpus[index].pointee.isUp {
      machine.wake(domain.pointee.vcpus[index])
    }
  }

  /// Stops all vcpus of a domain.
  ///
  /// Who paused itself could never be let run again.
  private func pause(_ id: DomainID, for caller: Caller) throws(HypercallError) {
    let domain = try living(id)
    guard domain != caller.domain else { throw .invalid }
    domain.pointee.isPaused = true
    for index in 0..<domain.pointee.vcpuCount { machine.stop(domain.pointee.vcpus[index]) }
  }

  /// Writes what is told of a domain.
  private func describe(
    _ domain: DomainPointer, to argument: GuestVirtualAddress
  ) throws(HypercallError) {
    let wiring = domain.pointee.wiring
    var answer = rootstock_domain()
    answer.domain = domain.pointee.id.rawValue
    if let reason = domain.pointee.endReason {
      answer.state = UInt16(ROOTSTOCK_DOMAIN_HAS_ENDED)
      answer.reason = reason
    } else if domain.pointee.suspender != nil {
      answer.state = UInt16(ROOTSTOCK_DOMAIN_IS_SUSPENDED)
    }
    answer.vcpus = UInt32(truncatingIfNeeded: domain.pointee.vcpuCount)
    answer.store_port = wiring.storePort.rawValue
    answer.console_port = wiring.consolePort.rawValue
    answer.frames = domain.pointee.pageLimit
    answer.store_frame = wiring.storePage?.number ?? 0
    answer.console_frame = wiring.consolePage?.number ?? 0
    answer.held = domain.pointee.pageCount
    try write(structure: answer, to: argument)
  }

  /// The domain with the lowest number from one on.
  private func nextDomain(from first: UInt16) -> DomainPointer? {
    var found: DomainPointer?
    for slot in 0..<domains.capacity {
      guard let domain = domains[slot], domain.pointee.id.rawValue >= first else { continue }
      if let best = found, best.pointee.id.rawValue < domain.pointee.id.rawValue { continue }
      found = domain
    }
    return found
  }

  /// Tells the domain that serves others that one has ended, or is gone.
  public func noteEnd(to server: DomainID) {
    guard let domain = domains.find(server), !domain.pointee.isDying else { return }
    raise(interrupt: UInt32(VIRQ_DOM_EXC), vcpu: domain.pointee.vcpus[0], of: domain)
  }
}
