// What a domain has mapped of others' grants, by handle. The records lie in frames of the
// hypervisor's own; free ones are a list. They are given back when the domain is dead.

import CXenABI

/// A mapping, or the part of it that is left, 16 bytes.
public struct GrantMapping {
  /// The entry.
  public internal(set) var reference = GrantReference(0)
  /// The frame that it grants; in a free record the next free one.
  public internal(set) var frame: UInt32 = .max
  /// Whose entry.
  public internal(set) var granter = DomainID.invalid
  /// What is mapped: GNTMAP_device_map and GNTMAP_host_map; neither in a free record.
  public internal(set) var parts: UInt16 = 0
  /// GNTMAP_readonly and GNTMAP_contains_pte.
  public internal(set) var flags: UInt32 = 0

  /// Whether it may write.
  public var isWritable: Bool { flags & UInt32(GNTMAP_readonly) == 0 }

  /// How the entry is used by a part.
  func kind(of part: Int32) -> GrantKind {
    GrantKind(isDevice: part == GNTMAP_device_map, isWritable: isWritable)
  }
}

extension Hypervisor {
  /// The record of a handle; nil where there is none of that number, free ones included.
  func grantMapping(
    _ handle: UInt32, of domain: DomainPointer
  ) -> UnsafeMutablePointer<GrantMapping>? {
    guard let state = domain.pointee.grants,
      Int(handle) < state.pointee.handleFrames * GrantTable.recordsPerFrame
    else { return nil }
    return mappings(Int(handle) / GrantTable.recordsPerFrame, state)
      + Int(handle) % GrantTable.recordsPerFrame
  }

  /// Takes a free handle.
  func takeHandle(of domain: DomainPointer) throws(GrantError) -> UInt32 {
    let state: UnsafeMutablePointer<GrantState>
    do throws(HypercallError) { state = try grants(of: domain) } catch {
      throw .status(GNTST_no_device_space)
    }
    if state.pointee.freeHandle == .max { try addHandles(state, domain) }
    let handle = state.pointee.freeHandle
    guard let record = grantMapping(handle, of: domain) else {
      throw .status(GNTST_no_device_space)
    }
    state.pointee.freeHandle = record.pointee.frame
    return handle
  }

  /// Puts a handle back.
  func freeHandle(_ handle: UInt32, of domain: DomainPointer) {
    guard let state = domain.pointee.grants, let record = grantMapping(handle, of: domain) else {
      return
    }
    record.pointee = GrantMapping()
    record.pointee.frame = state.pointee.freeHandle
    state.pointee.freeHandle = handle
  }

  /// Ends parts of a mapping; the translations are gone from every TLB.
  ///
  /// The record's `parts` no longer say them.
  func endParts(_ parts: UInt16, of mapping: UnsafeMutablePointer<GrantMapping>) {
    guard let granter = domains.find(mapping.pointee.granter) else {
      preconditionFailure("A domain ended while a frame of it was mapped")
    }
    let frame = MachineFrame(UInt64(mapping.pointee.frame))
    for bit in 0..<2 where parts >> UInt16(bit) & 1 != 0 {
      let kind = mapping.pointee.kind(of: 1 << Int32(bit))
      endUse(mapping.pointee.reference, of: granter, as: kind, frame: frame)
    }
  }

  /// Ends everything that a dead domain has mapped, and its record of grants.
  ///
  /// Its page tables are gone. The owners of the frames see their entries unused only after no TLB
  /// reaches them any more.
  func releaseMappings(of domain: DomainPointer) throws(MemoryError) {
    guard let state = domain.pointee.grants, let frame = domain.pointee.grantsFrame else { return }
    if state.pointee.releaseCursor == 0, state.pointee.handleFrames > 0 {
      flush(self.state.pointee.clock.online)
    }
    while state.pointee.releaseCursor < state.pointee.handleFrames {
      let records = mappings(state.pointee.releaseCursor, state)
      for index in 0..<GrantTable.recordsPerFrame where records[index].parts != 0 {
        let parts = records[index].parts
        records[index].parts = 0
        endParts(parts, of: records + index)
      }
      state.pointee.releaseCursor += 1
      if shallYield { throw .preempted }
    }
    if state.pointee.handleDirectory != 0 {
      let directory = MachineFrame(UInt64(state.pointee.handleDirectory))
      for index in 0..<state.pointee.handleFrames {
        freeOwn(MachineFrame(machine.words(of: directory)[index]))
      }
      freeOwn(directory)
    }
    domain.pointee.grants = nil
    domain.pointee.grantsFrame = nil
    freeOwn(frame)
  }

  /// Handles for 256 more mappings.
  private func addHandles(
    _ state: UnsafeMutablePointer<GrantState>, _ domain: DomainPointer
  ) throws(GrantError) {
    let place = state.pointee.handleFrames
    guard place < min(512, domain.pointee.grantMappingLimit / GrantTable.recordsPerFrame) else {
      throw .status(GNTST_no_device_space)
    }
    if state.pointee.handleDirectory == 0 {
      guard let frame = allocateOwn() else { throw .status(GNTST_no_device_space) }
      state.pointee.handleDirectory = UInt32(truncatingIfNeeded: frame.number)
    }
    guard let frame = allocateOwn() else { throw .status(GNTST_no_device_space) }
    machine.words(of: MachineFrame(UInt64(state.pointee.handleDirectory)))[place] = frame.number
    state.pointee.handleFrames += 1
    let records = mappings(place, state)
    records.initialize(repeating: GrantMapping(), count: GrantTable.recordsPerFrame)
    var index = GrantTable.recordsPerFrame
    while index > 0 {
      index -= 1
      records[index].frame = state.pointee.freeHandle
      state.pointee.freeHandle = UInt32(place * GrantTable.recordsPerFrame + index)
    }
  }

  private func mappings(
    _ place: Int, _ state: UnsafeMutablePointer<GrantState>
  ) -> UnsafeMutablePointer<GrantMapping> {
    let directory = MachineFrame(UInt64(state.pointee.handleDirectory))
    let frame = MachineFrame(machine.words(of: directory)[place])
    // SAFETY: a frame of the hypervisor's own with 256 records of 16 bytes, initialised above.
    return UnsafeMutableRawPointer(machine.words(of: frame))
      .assumingMemoryBound(to: GrantMapping.self)
  }
}
