// Domains that suspend and go on. One that was asked for by domain 0 waits, with all that it has, until
// domain 0 lets it go on: as if nothing had been, or as if it had been saved and restored as a new one.
// What a restored guest finds is in abi/sched.yaml, suspend; rootstock.h is the contract.

import CRootstock
import CXenABI
import XenABI

extension Hypervisor {
  /// Suspends a domain that is to be kept; false where its suspension is its end.
  ///
  /// Its vcpus stop, the calling one on its way out.
  public func suspend(_ caller: Caller) -> Bool {
    let domain = caller.domain
    guard domain.pointee.isKeptSuspended, !domain.pointee.isDying, domain.pointee.endReason == nil
    else { return false }
    // Two vcpus may call at once; the second one's call is answered with the first's.
    if domain.pointee.suspender == nil { domain.pointee.suspender = caller.vcpu.pointee.id }
    domain.pointee.isPaused = true
    for index in 0..<domain.pointee.vcpuCount { machine.stop(domain.pointee.vcpus[index]) }
    noteEnd(to: .control)
    return true
  }

  /// Ends a suspension; the domain waits to be started.
  ///
  /// No vcpu of it runs. `frame` is what its call named as the place of start_info, of which nothing is
  /// believed.
  public func resume(
    _ domain: DomainPointer, asNew isNew: Bool, startInfo frame: MachineFrame
  ) throws(HypercallError) {
    guard domain.pointee.suspender != nil else { throw .invalid }
    if isNew { try renew(domain, startInfo: frame) }
    dropRecord(of: domain)
    domain.pointee.suspender = nil
    noteEnd(to: .control)
  }

  /// Takes everything from a suspended domain that a restored one does not have.
  ///
  /// It fails before anything is changed, but where memory lacks for what was there a moment ago.
  private func renew(
    _ domain: DomainPointer, startInfo frame: MachineFrame
  ) throws(HypercallError) {
    guard let shared = domain.pointee.sharedInfo else { throw .invalid }
    let balance = grantBalance(of: domain)
    guard balance.mapped == 0, domain.pointee.grants?.pointee.usedCount ?? 0 == 0 else {
      throw .busy
    }
    // A bad guest would name a page table, a frame of another domain, or none at all.
    do throws(MemoryError) {
      try take(frame, as: .writable, ownedBy: domain)
    } catch {
      throw .invalid
    }
    defer { drop(frame) }
    try emptyGrants(of: domain)
    closeAll(of: domain)
    domain.pointee.resetCursor = 0
    for index in 0..<domain.pointee.vcpuCount { dropInfo(of: domain.pointee.vcpus[index]) }
    maskEvents(in: shared, of: domain)
    if domain.pointee.wiring != DomainWiring() { try rewire(domain) }
    describe(domain, shared, in: machine.words(of: frame))
  }

  /// The state of all ports in the shared page, as a restored domain finds it.
  func maskEvents(in shared: MachineFrame, of domain: DomainPointer) {
    let words = machine.words(of: shared)
    for index in 0..<SharedOffset.bitmapSize(domain) {
      words[SharedOffset.pending + index] = 0
      words[SharedOffset.mask(domain) + index] = ~0
    }
    for index in 0..<Int(XEN_LEGACY_MAX_VCPUS) {
      let info = words + index * SharedOffset.infoSize
      // No upcall is pending, and they are masked.
      info[0] = 1 << 8
      SharedOffset.fillSelector(of: info, in: domain, isSet: false)
    }
  }

  /// New ports for store and console, and their pages granted again.
  func rewire(_ domain: DomainPointer) throws(HypercallError) {
    domain.pointee.wiring.storePort = try allocateUnbound(for: .control, in: domain)
    domain.pointee.wiring.consolePort = try allocateUnbound(for: .control, in: domain)
    let pages = (domain.pointee.wiring.consolePage, domain.pointee.wiring.storePage)
    if let console = pages.0 {
      try reserveGrant(
        GrantReference(UInt32(GNTTAB_RESERVED_CONSOLE)), of: domain, to: .control, frame: console)
    }
    if let store = pages.1 {
      try reserveGrant(
        GrantReference(UInt32(GNTTAB_RESERVED_XENSTORE)), of: domain, to: .control, frame: store)
    }
  }

  /// What of start_info is told anew: the guest has made frame numbers of its own out of these.
  func describe(
    _ domain: DomainPointer, _ shared: MachineFrame, in words: UnsafeMutablePointer<UInt64>
  ) {
    let fields = StartInfoFields(words, is32Bit: domain.pointee.is32Bit)
    let wiring = domain.pointee.wiring
    fields.set(fields.sharedInfo, shared.address.value)
    fields.set(half: domain.pointee.isPrivileged ? UInt32(SIF_PRIVILEGED) : 0, at: fields.flags)
    fields.set(fields.storeFrame, wiring.storePage?.number ?? 0)
    fields.set(half: wiring.storePort.rawValue, at: fields.storePort)
    fields.set(fields.console, wiring.consolePage?.number ?? 0)
    fields.set(half: wiring.consolePort.rawValue, at: fields.consolePort)
  }
}
