// What is written down of a suspended domain, so that who can read the machine's memory can save it:
// rootstock_saved.h is the contract. The record lies in frames of the hypervisor's own.

import CRootstock
import CXenABI

/// A record under construction: frames whose numbers stand in the first one.
public struct DomainRecord {
  // SAFETY: the first frame's words, a frame of the hypervisor's own until the record is dropped.
  let head: UnsafeMutablePointer<rootstock_record>
  /// The first frame, of which the log tells.
  public let frame: MachineFrame

  /// How many frame numbers the first frame has room for.
  static var capacity: Int {
    (Int(XEN_PAGE_SIZE) - MemoryLayout<rootstock_record>.size) / MemoryLayout<UInt32>.size
  }
  /// Entries of the table in a frame.
  static var entriesPerFrame: Int { Int(XEN_PAGE_SIZE) / 8 }
  /// Page numbers have this many bits.
  static var pageBits: UInt64 { 27 }

  init(_ frame: MachineFrame, words: UnsafeMutablePointer<UInt64>) {
    self.frame = frame
    head = UnsafeMutableRawPointer(words).assumingMemoryBound(to: rootstock_record.self)
  }

  /// A frame of the record by its place, below the count.
  public subscript(_ index: Int) -> MachineFrame {
    MachineFrame(UInt64(list[index]))
  }

  // SAFETY: `capacity` numbers lie behind the structure in the frame.
  private var list: UnsafeMutablePointer<UInt32> {
    (UnsafeMutableRawPointer(head) + MemoryLayout<rootstock_record>.size)
      .assumingMemoryBound(to: UInt32.self)
  }

  /// How many frames there are behind the first.
  var count: Int {
    get { Int(head.pointee.list_count) }
    nonmutating set { head.pointee.list_count = UInt32(truncatingIfNeeded: newValue) }
  }

  func append(_ frame: MachineFrame) {
    list[count] = UInt32(truncatingIfNeeded: frame.number)
    count += 1
  }
}

extension Hypervisor {
  /// Writes down a suspended domain: all but the pages of its vcpus, which are clear, for the machine to
  /// fill in.
  ///
  /// None of its vcpus runs. `frame` is what its call named as the place of start_info.
  public func record(
    _ domain: DomainPointer, startInfo frame: MachineFrame
  ) throws(HypercallError) -> DomainRecord {
    guard let suspender = domain.pointee.suspender, let shared = domain.pointee.sharedInfo else {
      throw .invalid
    }
    dropRecord(of: domain)
    let vcpuFrames = domain.pointee.vcpuCount * Int(ROOTSTOCK_SAVED_VCPU_PAGES)
    let frameCount = ownFrameCount(of: domain)
    let tableFrames =
      (frameCount + DomainRecord.entriesPerFrame - 1) / DomainRecord.entriesPerFrame
    guard vcpuFrames + tableFrames <= DomainRecord.capacity else { throw .tooBig }
    guard let first = allocateOwn() else { throw .noMemory }
    domain.pointee.recordFrame = first
    let record = DomainRecord(first, words: machine.words(of: first))
    record.head.pointee = rootstock_record()
    for _ in 0..<vcpuFrames + tableFrames {
      guard let next = allocateOwn() else {
        dropRecord(of: domain)
        throw .noMemory
      }
      record.append(next)
    }
    record.head.pointee.magic = UInt64(ROOTSTOCK_RECORD_MAGIC)
    record.head.pointee.frame_count = UInt64(frameCount)
    record.head.pointee.page_limit = domain.pointee.pageLimit
    record.head.pointee.assists = domain.pointee.assists
    record.head.pointee.start_info = frame.number
    record.head.pointee.shared_info = shared.number
    record.head.pointee.store = domain.pointee.wiring.storePage?.number ?? 0
    record.head.pointee.console = domain.pointee.wiring.consolePage?.number ?? 0
    record.head.pointee.vcpu_count = UInt32(truncatingIfNeeded: domain.pointee.vcpuCount)
    record.head.pointee.suspender = suspender.rawValue
    if domain.pointee.is32Bit {
      record.head.pointee.reserved_start = UInt32(
        truncatingIfNeeded: domain.pointee.reservedStart)
    }
    writeTable(of: domain, record, from: vcpuFrames)
    return record
  }

  /// Frees the record of a domain, if there is one.
  func dropRecord(of domain: DomainPointer) {
    guard let first = domain.pointee.recordFrame else { return }
    domain.pointee.recordFrame = nil
    let record = DomainRecord(first, words: machine.words(of: first))
    for index in 0..<record.count { freeOwn(record[index]) }
    freeOwn(first)
  }

  private func ownFrameCount(of domain: DomainPointer) -> Int {
    var count = 0
    forEachFrame(of: domain) { _ in count += 1 }
    return count
  }

  private func forEachFrame(of domain: DomainPointer, _ body: (MachineFrame) -> Void) {
    var number = min(domain.pointee.lowestFrame, domain.pointee.endOfFrames)
    while number < domain.pointee.endOfFrames {
      let frame = MachineFrame(number)
      number += 1
      let record = frames[frame]
      guard record.pointee.owner == domain.pointee.id,
        !record.pointee.flags.isDisjoint(with: [.allocated, .shared])
      else { continue }
      body(frame)
    }
  }

  private func writeTable(of domain: DomainPointer, _ record: DomainRecord, from first: Int) {
    var index = 0
    forEachFrame(of: domain) { frame in
      let state = frames[frame]
      // What the guest says; a number that does not fit is none that could be restored.
      let page = min(physicalFrames[frame].number, 1 << DomainRecord.pageBits - 1)
      var entry = frame.number | page << 32
      if state.pointee.flags.contains(.shared) {
        entry |= UInt64(ROOTSTOCK_SAVED_SHARED) << UInt64(ROOTSTOCK_RECORD_TYPE_SHIFT)
      } else if state.pointee.typeUses > 0 {
        let kind =
          state.pointee.type == .level2High
          ? UInt64(ROOTSTOCK_SAVED_HIGH) : UInt64(state.pointee.type.level)
        entry |= kind << UInt64(ROOTSTOCK_RECORD_TYPE_SHIFT)
      }
      if state.pointee.flags.contains(.pinned) { entry |= UInt64(ROOTSTOCK_RECORD_PINNED) }
      let words = machine.words(of: record[first + index / DomainRecord.entriesPerFrame])
      words[index % DomainRecord.entriesPerFrame] = entry
      index += 1
    }
  }
}
