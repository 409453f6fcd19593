// A guest's request taken apart and checked. The slot is a private copy: what is checked here is what
// is carried out.
//
// A guest may name operations that do not exist or were not offered, no segment or too many, sectors
// that run backwards, leave their page, wrap around or lie beyond the disk's end, and write to what
// it may only read. Each of these gets an answer, and nothing else happens.

import CXenABI
import XenABI

/// Why a request is answered at once.
struct BlkifRefusal: Error {
  var status: Xen.BlkifStatus
  static var error: BlkifRefusal { BlkifRefusal(status: .error) }
  static var unsupported: BlkifRefusal { BlkifRefusal(status: .eopnotsupp) }
}

/// A run of sectors in a granted page.
struct BlkifSegment {
  var reference: GrantReference
  var first: UInt8
  var last: UInt8
  var sectorCount: UInt64 { UInt64(last) - UInt64(first) + 1 }

  /// Checks a segment of a request.
  init(_ segment: Xen.BlkifRequestSegment) throws(BlkifRefusal) {
    guard segment.first_sect <= segment.last_sect, segment.last_sect < pageSize / 512 else {
      throw .error
    }
    reference = GrantReference(segment.gref)
    first = segment.first_sect
    last = segment.last_sect
  }
}

/// What a request asks for; its lists' memory is used again for the next one.
struct BlkifRequest {
  var id: UInt64 = 0
  /// As the answer repeats it.
  var operation: UInt8 = 0
  var action = BlockAction.read
  var isBarrier = false
  var isSecure = false
  var sector: UInt64 = 0
  var sectorCount: UInt64 = 0
  var segments = ReusedList<BlkifSegment>()
  /// Pages of segments that are still to be read, and how many segments stand in them.
  var indirectPages = ReusedList<GrantReference>()
  var indirectCount = 0

  /// Takes what every slot has, so that even a bad request can be answered.
  mutating func begin(_ slot: Xen.BlkifRequest) {
    id = slot.id
    operation = slot.operation
    sector = slot.sector_number
    action = .read
    isBarrier = false
    isSecure = false
    sectorCount = 0
    segments.removeAll()
    indirectPages.removeAll()
    indirectCount = 0
  }

  /// Reads the slot by its operation.
  mutating func read<Device: BlockDevice>(
    _ slot: Xen.BlkifRequest, device: Device, features: BlockFeatures
  ) throws(BlkifRefusal) {
    switch Xen.BlkifOp(rawValue: operation) {
    case .read:
      try readSegments(slot, atLeast: 1)
    case .write:
      action = .write
      try readSegments(slot, atLeast: 1)
    case .writeBarrier:
      guard features.barrier, device.canFlush else { throw .unsupported }
      action = .write
      isBarrier = true
      try readSegments(slot, atLeast: 0)
      if segments.isEmpty { action = .flush }
    case .flushDiskcache:
      guard features.flush, device.canFlush else { throw .unsupported }
      action = .flush
    // A flush has no segments, whatever the slot says.
    case .discard:
      guard features.discard, device.canDiscard else { throw .unsupported }
      try readDiscard(slot, device)
    case .indirect:
      guard features.indirectSegments > 0 else { throw .unsupported }
      try readIndirect(slot, features)
    default:
      throw .unsupported
    }
    if indirectPages.isEmpty { try check(device) }
  }
  private mutating func readSegments(
    _ slot: Xen.BlkifRequest, atLeast least: UInt8
  ) throws(BlkifRefusal) {
    guard slot.nr_segments >= least, slot.nr_segments <= Xen.BlkifLimits.segmentsPerRequest else {
      throw .error
    }
    for index in 0..<Int(slot.nr_segments) {
      try add(
        withUnsafeBytes(of: slot.seg) { bytes in
          // SAFETY: at most as many segments as the array has, checked above.
          bytes.loadUnaligned(
            fromByteOffset: index * MemoryLayout<Xen.BlkifRequestSegment>.stride,
            as: Xen.BlkifRequestSegment.self)
        })
    }
  }

  /// Adds a segment, in any order of requests the next one on the disk.
  mutating func add(_ segment: Xen.BlkifRequestSegment) throws(BlkifRefusal) {
    let checked = try BlkifSegment(segment)
    segments.append(checked)
    sectorCount += checked.sectorCount
  }
  private mutating func readDiscard<Device: BlockDevice>(
    _ slot: Xen.BlkifRequest, _ device: Device
  ) throws(BlkifRefusal) {
    // SAFETY: the structure is shorter than the slot, and all numbers.
    let discard = withUnsafeBytes(of: slot) { $0.loadUnaligned(as: Xen.BlkifRequestDiscard.self) }
    action = .discard
    sectorCount = discard.nr_sectors
    isSecure = Xen.BlkifDiscardFlags(rawValue: discard.flag).contains(.blkifDiscardSecure)
    guard !isSecure || device.canDiscardSecurely else { throw .unsupported }
    guard sectorCount > 0 else { throw .error }
  }
  private mutating func readIndirect(
    _ slot: Xen.BlkifRequest, _ features: BlockFeatures
  ) throws(BlkifRefusal) {
    // SAFETY: the structure is shorter than the slot, and all numbers.
    let indirect = withUnsafeBytes(of: slot) { $0.loadUnaligned(as: Xen.BlkifRequestIndirect.self) }
    sector = indirect.sector_number
    switch Xen.BlkifOp(rawValue: indirect.indirect_op) {
    case .read: action = .read
    case .write: action = .write
    default: throw .error
    }
    // Linux's frontend gives a disk up whose answer repeats BLKIF_OP_INDIRECT.
    operation = indirect.indirect_op
    indirectCount = Int(indirect.nr_segments)
    let perPage = pageSize / MemoryLayout<Xen.BlkifRequestSegment>.stride
    let pageCount = (indirectCount + perPage - 1) / perPage
    guard indirectCount > 0, indirectCount <= features.indirectSegments,
      pageCount <= Int(Xen.BlkifLimits.indirectPagesPerRequest)
    else { throw .error }
    for index in 0..<pageCount {
      let number = withUnsafeBytes(of: indirect.indirect_grefs) { bytes in
        // SAFETY: at most as many references as the array has, checked above.
        bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
      }
      indirectPages.append(GrantReference(number))
    }
  }

  /// Copies an indirect request's segments out of the guest's pages, once, and checks them.
  mutating func readIndirectSegments<Grants: GrantAccess, Device: BlockDevice>(
    _ grants: Grants, of domain: DomainID, device: Device
  ) throws(BlkifRefusal) {
    let stride = MemoryLayout<Xen.BlkifRequestSegment>.stride
    let none = Xen.BlkifRequestSegment()
    var list = [Xen.BlkifRequestSegment](repeating: none, count: indirectCount)
    var isCopied = true
    list.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      var pieces: [GrantCopy] = []
      for index in indirectPages.indices {
        // SAFETY: the pages together hold `indirectCount` segments, the list's own number.
        let offset = index * pageSize
        pieces.append(
          GrantCopy(
            indirectPages[index], offset: 0, local: start + offset,
            count: min(pageSize, indirectCount * stride - offset), isToGuest: false))
      }
      grants.copy(&pieces, of: domain)
      for piece in pieces where !piece.isDone { isCopied = false }
    }
    guard isCopied else { throw .error }
    for segment in list { try add(segment) }
    try check(device)
  }

  /// Whether the disk has these sectors and lets them be written.
  private func check<Device: BlockDevice>(_ device: Device) throws(BlkifRefusal) {
    guard action != .flush else { return }
    guard action == .read || !device.isReadOnly else { throw .error }
    let (end, overflow) = sector.addingReportingOverflow(sectorCount)
    guard !overflow, end <= device.sectorCount else { throw .error }
  }
}
