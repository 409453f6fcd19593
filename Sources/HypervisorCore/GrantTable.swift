// Where a domain's grant table lies: frames that it shares with the guest, and the hypervisor's own
// record of what is in use. The guest's words are never believed twice; what counts stands here.
//
//     GrantState, one frame           entries, shared     status words, shared (version 2)
//     | version, counts         |     | entry 0 ... |     | of entries 0 ... 2047 |
//     | frames of the entries   | --> | ...         |
//     | frames of status words  |     uses, own: 256 in a frame, made when needed
//     | frames of the uses      | --> | who uses entry 0, which frame, how often |
//     | frames of the handles   | --> GrantHandles.swift: what this domain has mapped

import CXenABI
import XenABI

/// Measures of grant tables.
public enum GrantTable {
  /// The most frames of entries that a domain can have, as on stock Xen.
  public static var frameLimit: Int { 64 }
  /// The most frames of status words.
  static var statusLimit: Int { frameLimit / 8 }
  /// Uses in a frame, and handles in a frame.
  public static var recordsPerFrame: Int { 256 }
  /// The most frames of uses: entries of version 1 are 512 to a frame.
  static var useLimit: Int { frameLimit * 2 }
  /// Status words in a frame.
  static var statusPerFrame: Int { Int(XEN_PAGE_SIZE) / MemoryLayout<grant_status_t>.size }
  /// Entries that the toolstack fills in and that a change of version keeps.
  static var reservedCount: Int { Int(GNTTAB_NR_RESERVED_ENTRIES) }

  /// Entries in a frame.
  static func entriesPerFrame(version: UInt32) -> Int {
    let size =
      version == 1 ? MemoryLayout<grant_entry_v1>.size : MemoryLayout<grant_entry_v2>.size
    return Int(XEN_PAGE_SIZE) / size
  }
}

/// A domain's grant table and what it has mapped of others.
public struct GrantState {
  /// Form of the entries, 1 or 2.
  public internal(set) var version: UInt32 = 1
  /// Frames of entries.
  public internal(set) var frameCount = 0
  /// Frames of status words.
  public internal(set) var statusCount = 0
  /// Frames of entries, by number.
  public internal(set) var frames = InlineArray<64, UInt32>(repeating: 0)
  /// Frames of status words, by number.
  public internal(set) var statusFrames = InlineArray<8, UInt32>(repeating: 0)
  /// Frames of uses; 0, which is never a domain's, where nothing was used yet.
  public internal(set) var useFrames = InlineArray<128, UInt32>(repeating: 0)
  /// Entries that are in use.
  public internal(set) var usedCount = 0
  /// Entries that were ended in use, as their users found when they ended.
  public internal(set) var tornCount = 0
  /// What the first of them granted.
  public internal(set) var tornFrame: MachineFrame?
  /// The frame whose words name the frames of handles; 0 for none.
  public internal(set) var handleDirectory: UInt32 = 0
  /// Frames of handles.
  public internal(set) var handleFrames = 0
  /// First free handle; all ones for none.
  var freeHandle = UInt32.max
  /// How far the end of all mappings has got, while the domain dies.
  var releaseCursor = 0

  /// How many entries there are.
  var entryCount: Int { frameCount * GrantTable.entriesPerFrame(version: version) }
}

/// What the hypervisor knows of an entry in use, 12 bytes.
public struct GrantUse {
  /// The frame that users have got, whatever the entry says by now.
  public internal(set) var frame: UInt32 = 0
  /// Who uses it; nobody else may until all uses have ended.
  public internal(set) var user = DomainID.invalid
  /// Uses by kind: `GrantKind`.
  public internal(set) var counts = InlineArray<4, UInt8>(repeating: 0)

  /// Uses that may write.
  var writers: Int { Int(counts[2]) + Int(counts[3]) }
  /// All uses.
  public var total: Int { Int(counts[0]) + Int(counts[1]) + writers }
}

extension Hypervisor {
  /// A domain's grant table, made with one frame when it is first asked for.
  func grants(
    of domain: DomainPointer
  ) throws(HypercallError) -> UnsafeMutablePointer<GrantState> {
    if let state = domain.pointee.grants { return state }
    guard !domain.pointee.isDying, let frame = allocateOwn() else { throw .noMemory }
    guard let first = allocateShared(for: domain) else {
      freeOwn(frame)
      throw .noMemory
    }
    // SAFETY: a frame of the hypervisor's own, larger than the state, until the domain has ended.
    let state = UnsafeMutableRawPointer(machine.words(of: frame))
      .bindMemory(to: GrantState.self, capacity: 1)
    state.initialize(to: GrantState())
    state.pointee.frames[0] = UInt32(truncatingIfNeeded: first.number)
    state.pointee.frameCount = 1
    domain.pointee.grants = state
    domain.pointee.grantsFrame = frame
    return state
  }

  /// Makes the table so many frames long.
  ///
  /// What exists stays in place. Status words grow with the entries.
  func growGrants(to count: Int, of domain: DomainPointer) throws(HypercallError) {
    let state = try grants(of: domain)
    guard count <= min(GrantTable.frameLimit, domain.pointee.grantFrameLimit) else {
      throw .noMemory
    }
    if state.pointee.version == 2 { try growStatus(forFrames: count, of: domain, state) }
    while state.pointee.frameCount < count {
      guard let frame = allocateShared(for: domain) else { throw .noMemory }
      state.pointee.frames[state.pointee.frameCount] = UInt32(truncatingIfNeeded: frame.number)
      state.pointee.frameCount += 1
    }
  }

  /// Makes status words for so many frames of entries.
  func growStatus(
    forFrames count: Int, of domain: DomainPointer, _ state: UnsafeMutablePointer<GrantState>
  ) throws(HypercallError) {
    while state.pointee.statusCount < (count + 7) / 8 {
      guard let frame = allocateShared(for: domain) else { throw .noMemory }
      state.pointee.statusFrames[state.pointee.statusCount] = UInt32(
        truncatingIfNeeded: frame.number)
      state.pointee.statusCount += 1
    }
  }

  /// The record of an entry's uses; the entry is below the count.
  ///
  /// Nil: there is no memory for it.
  func grantUse(
    _ index: Int, _ state: UnsafeMutablePointer<GrantState>
  ) -> UnsafeMutablePointer<GrantUse>? {
    let place = index / GrantTable.recordsPerFrame
    if state.pointee.useFrames[place] == 0 {
      guard let frame = allocateOwn() else { return nil }
      state.pointee.useFrames[place] = UInt32(truncatingIfNeeded: frame.number)
      grantUses(in: state.pointee.useFrames[place])
        .initialize(repeating: GrantUse(), count: GrantTable.recordsPerFrame)
    }
    return grantUses(in: state.pointee.useFrames[place]) + index % GrantTable.recordsPerFrame
  }

  /// Whether a use of an entry needs no memory; so it does not where there is no such entry.
  func hasGrantUse(_ reference: GrantReference, of domain: DomainPointer) -> Bool {
    guard let state = domain.pointee.grants else { return false }
    guard reference.rawValue < UInt32(truncatingIfNeeded: state.pointee.entryCount) else {
      return true
    }
    return state.pointee.useFrames[Int(reference.rawValue) / GrantTable.recordsPerFrame] != 0
  }

  /// Whether an entry is in use.
  func isGrantUsed(_ index: Int, _ state: UnsafeMutablePointer<GrantState>) -> Bool {
    let frame = state.pointee.useFrames[index / GrantTable.recordsPerFrame]
    guard frame != 0 else { return false }
    return grantUses(in: frame)[index % GrantTable.recordsPerFrame].total > 0
  }

  private func grantUses(in frame: UInt32) -> UnsafeMutablePointer<GrantUse> {
    // SAFETY: a frame of the hypervisor's own with 256 records of 12 bytes, initialised above.
    UnsafeMutableRawPointer(machine.words(of: MachineFrame(UInt64(frame))))
      .assumingMemoryBound(to: GrantUse.self)
  }

  /// Ends a dying domain's own table: nobody can use an entry any more.
  ///
  /// Frames that others have mapped stay until they are unmapped; the mappers hold references.
  func dropGrantTable(of domain: DomainPointer) {
    guard let state = domain.pointee.grants else { return }
    for index in 0..<state.pointee.frameCount {
      dropShared(MachineFrame(UInt64(state.pointee.frames[index])))
    }
    dropStatus(state)
    state.pointee.frameCount = 0
    state.pointee.usedCount = 0
    for index in 0..<GrantTable.useLimit where state.pointee.useFrames[index] != 0 {
      freeOwn(MachineFrame(UInt64(state.pointee.useFrames[index])))
      state.pointee.useFrames[index] = 0
    }
  }

  /// Gives the frames of status words up.
  func dropStatus(_ state: UnsafeMutablePointer<GrantState>) {
    for index in 0..<state.pointee.statusCount {
      dropShared(MachineFrame(UInt64(state.pointee.statusFrames[index])))
    }
    state.pointee.statusCount = 0
  }
}
