// The domains that an argument of mmu_update and its kin names.

extension Hypervisor {
  /// Whether the argument of mmu_update with the owners of tables and frames names the caller alone.
  @inline(__always)
  func isOwn(_ argument: UInt64, of caller: Caller) -> Bool {
    let half = argument & 0xffff_ffff
    if half == UInt64(DomainID.caller.rawValue) { return true }
    let own = UInt64(caller.domain.pointee.id.rawValue)
    let frames = half & 0xffff
    return half >> 16 == 0 && frames == own
  }

  /// The domain that an id means to a caller, who may act on itself and, if privileged, on others.
  @inline(__always)
  func target(_ id: DomainID, for caller: Caller) throws(HypercallError) -> DomainPointer {
    if id == .caller || id == caller.domain.pointee.id { return caller.domain }
    return try otherTarget(id, for: caller)
  }

  @inline(never)
  private func otherTarget(
    _ id: DomainID, for caller: Caller
  ) throws(HypercallError) -> DomainPointer {
    guard let domain = domains.find(id) else { throw .noDomain }
    guard caller.domain.pointee.isPrivileged else { throw .notPermitted }
    guard !domain.pointee.isDying else { throw .noDomain }
    return domain
  }

  /// The owner of the frames that entries map: a domain, or `DOMID_IO` for I/O memory alone.
  @inline(__always)
  func mappingTarget(_ id: DomainID, for caller: Caller) throws(HypercallError) -> DomainID {
    if id == .io {
      guard caller.domain.pointee.isPrivileged else { throw .notPermitted }
      return .io
    }
    return try target(id, for: caller).pointee.id
  }
}
