// A frame that a guest sends, as slots of its tx ring: the first request, extra slots, then one
// request for every further piece. Everything is copied out of the ring before it is looked at.
//
// A guest may chain more slots than a frame can have, end the ring in the middle of a chain, name
// bytes beyond a page, let the pieces exceed the whole, and claim a large segment that is none. A
// chain that ends nowhere breaks the ring; for all else each slot is answered with an error.

import CXenABI
import XenABI

/// A change of the groups that a guest wants to hear.
struct GroupChange {
  var address: MACAddress
  var isAdded: Bool
}

/// One frame out of a tx ring.
struct NetifTransmit {
  /// A piece of the frame in a guest's page.
  struct Piece {
    var reference: GrantReference
    var offset: Int
    var count: Int
  }

  /// Ids of the slots, in order; `nil` for an extra slot, whose id is not known.
  private(set) var slots: [UInt16?] = []
  private(set) var pieces: [Piece] = []
  private(set) var size = 0
  private(set) var flags: Xen.NetifTxFlags = []
  private(set) var segment: LargeSegment?
  private(set) var groups: [GroupChange] = []
  private(set) var isGood = true

  /// Slots of a frame that this backend takes; every backend takes 18.
  static var slotLimit: Int { Int(Xen.NetifLimits.nrSlotsMin) + 2 }

  /// Takes the next frame; `nil` where the ring has none.
  init?(
    from ring: inout Xen.BackRing<Xen.NetifTxRequest, Xen.NetifTxResponse>
  ) throws(Xen.RingBroken) {
    guard let first = try ring.take() else { return nil }
    slots.append(first.id)
    flags = Xen.NetifTxFlags(rawValue: first.flags)
    size = Int(first.size)
    if flags.contains(.extraInfo) { try takeExtras(&ring) }
    var rest = 0
    var more: [Piece] = []
    var isLast = !flags.contains(.moreData)
    while !isLast {
      // A guest publishes whole frames: one that goes on where the ring ends cannot be answered.
      guard let next = try ring.take() else { throw Xen.RingBroken() }
      slots.append(next.id)
      more.append(
        Piece(
          reference: GrantReference(next.gref), offset: Int(next.offset), count: Int(next.size)))
      rest += Int(next.size)
      isLast = !Xen.NetifTxFlags(rawValue: next.flags).contains(.moreData)
    }
    // The first slot's size is the whole frame's.
    let own = size - rest
    pieces.append(
      Piece(reference: GrantReference(first.gref), offset: Int(first.offset), count: own))
    pieces.append(contentsOf: more)
    if own < 0 || slots.count > Self.slotLimit { isGood = false }
    for piece in pieces where piece.offset + piece.count > pageSize { isGood = false }
    // A request of no bytes only carries changes of groups.
    if size < Packet.headerSize, size > 0 || groups.isEmpty { isGood = false }
  }
  private mutating func takeExtras(
    _ ring: inout Xen.BackRing<Xen.NetifTxRequest, Xen.NetifTxResponse>
  ) throws(Xen.RingBroken) {
    var isLast = false
    while !isLast {
      guard let slot = try ring.take() else { throw Xen.RingBroken() }
      slots.append(nil)
      // SAFETY: an extra is 8 of the slot's 12 bytes, and all numbers.
      let extra = withUnsafeBytes(of: slot) { $0.loadUnaligned(as: Xen.NetifExtraInfo.self) }
      isLast = !Xen.NetifExtraFlags(rawValue: extra.flags).contains(.xenNetifExtraFlagMore)
      // More extras than there are types: the rest is taken, and the frame refused.
      guard slots.count <= Int(Xen.NetifExtraType.max.rawValue) else {
        isGood = false
        continue
      }
      read(extra)
    }
  }
  private mutating func read(_ extra: Xen.NetifExtraInfo) {
    switch Xen.NetifExtraType(rawValue: extra.type) {
    case .gso:
      switch Xen.NetifGsoType(rawValue: extra.u.gso.type) {
      case .tcpv4: segment = LargeSegment(size: extra.u.gso.size, isIPv6: false)
      case .tcpv6: segment = LargeSegment(size: extra.u.gso.size, isIPv6: true)
      default: isGood = false
      }
      if extra.u.gso.size == 0 { isGood = false }
    case .mcastAdd, .mcastDel:
      let address = withUnsafeBytes(of: extra.u.mcast.addr) { MACAddress(Bytes($0), at: 0) }
      guard address.isGroup else {
        isGood = false
        return
      }
      let isAdded = Xen.NetifExtraType(rawValue: extra.type) == .mcastAdd
      groups.append(GroupChange(address: address, isAdded: isAdded))
    case .hash:
      // Which queue a guest chose for it is of no interest here.
      break
    default:
      isGood = false
    }
  }

  /// The frame around bytes that were copied; `nil` where they are not what the slots claim.
  func packet(_ bytes: Bytes) -> Packet? {
    guard var packet = Packet(bytes) else { return nil }
    packet.isChecksumBlank = flags.contains(.csumBlank)
    packet.isValidated = packet.isChecksumBlank || flags.contains(.dataValidated)
    if let segment {
      guard let header = TransportHeader(bytes), header.isTCP, header.isIPv6 == segment.isIPv6
      else { return nil }
      packet.segment = segment
      packet.isChecksumBlank = true
    }
    return packet
  }
}
