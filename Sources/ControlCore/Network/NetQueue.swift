// One queue of a guest's interface: frames out of its tx ring, frames into its rx ring. Both ways the
// bytes are copied by the hypervisor, many pieces in one call, through a buffer of our own.

import CXenABI
import XenABI

/// The pages of one queue's rings.
struct NetRings {
  var transmit: MappedPage
  var receive: MappedPage
}

/// The backend's end of one queue.
final class NetQueue<Grants: GrantAccess> {
  private let grants: Grants
  private let domain: DomainID
  private let rings: NetRings
  private var transmit: Xen.BackRing<Xen.NetifTxRequest, Xen.NetifTxResponse>
  private var receive: Xen.BackRing<Xen.NetifRxRequest, Xen.NetifRxResponse>
  /// Frames for the guest that found no room yet.
  private var pending: [Packet] = []
  private var pendingBytes = 0
  private var head = 0
  /// Requests of the rx ring that were taken and not used yet.
  private var buffers: [Xen.NetifRxRequest] = []
  /// Where bytes lie between the guest's pages and a packet.
  private let staging: UnsafeMutableRawPointer
  private(set) var isBroken = false

  /// Bytes of the buffer: some frames of the largest size.
  private static var stagingSize: Int { 1 << 18 }
  /// Bytes and frames that wait for a guest; more are dropped.
  private static var pendingLimit: (frames: Int, bytes: Int) { (256, 1 << 19) }

  /// Maps both rings; `nil` where the guest has not granted them.
  init?(grants: Grants, domain: DomainID, transmit: GrantReference, receive: GrantReference) {
    let mapped = grants.map(
      [transmit, receive], of: domain, isWritable: true, isConsecutive: false)
    guard let mapped, mapped.count == 2,
      let first = Xen.BackRing<Xen.NetifTxRequest, Xen.NetifTxResponse>(
        unsafePage: mapped[0].address, byteCount: pageSize),
      let second = Xen.BackRing<Xen.NetifRxRequest, Xen.NetifRxResponse>(
        unsafePage: mapped[1].address, byteCount: pageSize)
    else { return nil }
    self.grants = grants
    self.domain = domain
    rings = NetRings(transmit: mapped[0], receive: mapped[1])
    self.transmit = first
    self.receive = second
    staging = .allocate(byteCount: Self.stagingSize, alignment: pageSize)
  }

  deinit { staging.deallocate() }

  /// Unmaps the rings; the queue is not used afterwards.
  func close() {
    isBroken = true
    grants.unmap([rings.transmit, rings.receive])
  }

  // MARK: From the guest

  /// Takes frames out of the tx ring, a bounded number at most, and hands each to `body`.
  func take(
    frames limit: Int, groups: (GroupChange) -> Void, body: (Packet) -> Void
  ) -> Progress {
    guard !isBroken else { return Progress(isBroken: true) }
    var progress = Progress()
    var left = limit
    while left > 0 {
      var batch: [NetifTransmit] = []
      let isDry = gather(&batch, &left)
      finish(batch, groups, body)
      if isDry { break }
    }
    progress.isBroken = isBroken
    progress.more = left == 0
    progress.notify = transmit.push()
    return progress
  }

  /// Takes as many frames as the buffer has room for; true where the ring has no more of them.
  ///
  /// Where the ring breaks, the frames before that are answered all the same.
  private func gather(_ batch: inout [NetifTransmit], _ left: inout Int) -> Bool {
    var room = Self.stagingSize
    do throws(Xen.RingBroken) {
      while left > 0, room >= Int(Xen.NetifLimits.maxTxSize) {
        guard let frame = try NetifTransmit(from: &transmit) else {
          if transmit.wait() { continue }
          return true
        }
        left -= 1
        if frame.isGood { room -= frame.size }
        batch.append(frame)
      }
    } catch {
      isBroken = true
      return true
    }
    return false
  }

  /// Copies the frames of a batch, answers their slots, and passes them on.
  private func finish(
    _ batch: [NetifTransmit], _ groups: (GroupChange) -> Void, _ body: (Packet) -> Void
  ) {
    var copies: [GrantCopy] = []
    var place = 0
    for frame in batch where frame.isGood {
      for piece in frame.pieces where piece.count > 0 {
        // SAFETY: the pieces of good frames together are no more than `take` found room for.
        copies.append(
          GrantCopy(
            piece.reference, offset: piece.offset, local: staging + place, count: piece.count,
            isToGuest: false))
        place += piece.count
      }
    }
    if !copies.isEmpty { grants.copy(&copies, of: domain) }
    var packets: [Packet] = []
    var copy = 0
    place = 0
    for frame in batch {
      var isGood = frame.isGood
      if isGood {
        for piece in frame.pieces where piece.count > 0 {
          if !copies[copy].isDone { isGood = false }
          copy += 1
        }
        if isGood, frame.size > 0 {
          let bytes = Bytes(UnsafeRawBufferPointer(start: staging + place, count: frame.size))
          if let packet = frame.packet(bytes) { packets.append(packet) } else { isGood = false }
        }
        place += frame.size
      }
      if isGood { for change in frame.groups { groups(change) } }
      answer(frame, isGood ? .okay : .error)
    }
    for packet in packets { body(packet) }
  }
  private func answer(_ frame: NetifTransmit, _ status: Xen.NetifStatus) {
    for slot in frame.slots {
      var response = Xen.NetifTxResponse()
      response.id = slot ?? 0
      response.status = slot == nil ? Xen.NetifStatus.null.rawValue : status.rawValue
      _ = transmit.put(response)
    }
  }

  // MARK: To the guest

  /// Keeps a frame for the guest; false where too many wait.
  func append(_ packet: Packet) -> Bool {
    guard !isBroken, pending.count - head < Self.pendingLimit.frames,
      pendingBytes + packet.bytes.count <= Self.pendingLimit.bytes
    else { return false }
    pending.append(packet)
    pendingBytes += packet.bytes.count
    return true
  }

  /// Moves waiting frames into the guest's pages as far as it has given us any.
  func flush() -> Progress {
    var progress = Progress()
    guard !isBroken, head < pending.count else { return progress }
    do throws(Xen.RingBroken) {
      while head < pending.count {
        guard try deliverBatch() else { break }
      }
    } catch {
      isBroken = true
      progress.isBroken = true
    }
    if head == pending.count || head >= 64 {
      pending.removeFirst(head)
      head = 0
    }
    progress.notify = receive.push()
    return progress
  }

  /// Slots that a frame takes.
  private func slotCount(_ packet: Packet) -> Int {
    (packet.bytes.count + pageSize - 1) / pageSize + (packet.segment == nil ? 0 : 1)
  }

  /// Delivers as many frames as fit in the buffer; false where the guest has no pages left.
  private func deliverBatch() throws(Xen.RingBroken) -> Bool {
    var copies: [GrantCopy] = []
    var responses: [Xen.NetifRxResponse] = []
    var place = 0
    var isDry = false
    // Which copy fills the page of which response.
    var owners: [Int] = []
    while head < pending.count, place + pending[head].bytes.count <= Self.stagingSize {
      let packet = pending[head]
      guard try fetchBuffers(slotCount(packet)) else {
        isDry = true
        break
      }
      packet.bytes.withUnsafeBytes { bytes in
        // SAFETY: checked above against what is left of the buffer.
        UnsafeMutableRawBufferPointer(start: staging + place, count: bytes.count)
          .copyMemory(from: bytes)
      }
      describe(packet, at: place, &copies, &responses, &owners)
      place += packet.bytes.count
      pendingBytes -= packet.bytes.count
      head += 1
    }
    if !copies.isEmpty { grants.copy(&copies, of: domain) }
    for (index, copy) in copies.enumerated() where !copy.isDone {
      responses[owners[index]].status = Xen.NetifStatus.error.rawValue
    }
    for response in responses { _ = receive.put(response) }
    return !isDry
  }

  /// Takes requests out of the rx ring until there are enough.
  private func fetchBuffers(_ count: Int) throws(Xen.RingBroken) -> Bool {
    while buffers.count < count {
      if let request = try receive.take() {
        buffers.append(request)
      } else if !receive.wait() {
        return false
      }
    }
    return true
  }

  /// Writes down the copies and answers of one frame; its buffers are there.
  private func describe(
    _ packet: Packet, at start: Int, _ copies: inout [GrantCopy],
    _ responses: inout [Xen.NetifRxResponse], _ owners: inout [Int]
  ) {
    let size = packet.bytes.count
    var place = 0
    var used = 0
    while place < size {
      let request = buffers[used]
      used += 1
      let count = min(pageSize, size - place)
      var flags: Xen.NetifRxFlags = []
      if place == 0 {
        if packet.isChecksumBlank { flags.formUnion([.csumBlank, .dataValidated]) }
        if packet.isValidated { flags.insert(.dataValidated) }
        if packet.segment != nil { flags.insert(.extraInfo) }
      }
      if place + count < size { flags.insert(.moreData) }
      var response = Xen.NetifRxResponse()
      response.id = request.id
      response.flags = flags.rawValue
      response.status = Int16(truncatingIfNeeded: count)
      copies.append(
        GrantCopy(
          GrantReference(request.gref), offset: 0, local: staging + start + place, count: count,
          isToGuest: true))
      owners.append(responses.count)
      responses.append(response)
      if place == 0, let segment = packet.segment {
        // The extra slot takes the place of a response: the request there is used up.
        used += 1
        responses.append(Self.extra(segment))
      }
      place += count
    }
    buffers.removeFirst(used)
  }
  private static func extra(_ segment: LargeSegment) -> Xen.NetifRxResponse {
    var extra = Xen.NetifExtraInfo()
    extra.type = Xen.NetifExtraType.gso.rawValue
    extra.u.gso.size = segment.size
    extra.u.gso.type =
      segment.isIPv6 ? Xen.NetifGsoType.tcpv6.rawValue : Xen.NetifGsoType.tcpv4.rawValue
    // SAFETY: both are 8 bytes of numbers; the ABI lays one over the other.
    return withUnsafeBytes(of: extra) { $0.loadUnaligned(as: Xen.NetifRxResponse.self) }
  }
}
