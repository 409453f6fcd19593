// A guest's end of one queue of a network interface.

public import CXenABI
public import ControlCore
public import XenABI

/// A frame as a guest received it.
public struct ReceivedFrame {
  /// The bytes of all pieces.
  public var bytes: Bytes
  /// Flags of the first piece.
  public var flags: Xen.NetifRxFlags
  /// Size of the pieces to cut it into; 0 for an ordinary frame.
  public var segmentSize: UInt16
  /// Its pieces.
  public var pieceCount: Int
}

/// A guest's rings, pages and keys.
public final class FakeInterface {
  /// The guest.
  public let guest: FakeGuest
  private let hypervisor: FakeHypervisor
  /// Where the guest sends.
  public var transmit: Xen.FrontRing<Xen.NetifTxRequest, Xen.NetifTxResponse>
  /// Where it receives.
  public var receive: Xen.FrontRing<Xen.NetifRxRequest, Xen.NetifRxResponse>
  /// The references of both rings.
  public let references: (transmit: GrantReference, receive: GrantReference)
  private var posted: [Int] = []
  private var nextPage = 0
  private var pageGrants: [Int: GrantReference] = [:]

  /// Rings in the first two pages; 128 pages for what is received, and 64 for what is sent.
  public init(_ domain: UInt16, _ hypervisor: FakeHypervisor) {
    guest = FakeGuest(domain, pages: 200)
    self.hypervisor = hypervisor
    hypervisor.add(guest)
    guest.ports = [1, 2]
    guard
      let transmit = Xen.FrontRing<Xen.NetifTxRequest, Xen.NetifTxResponse>(
        unsafePage: guest.address(0), byteCount: pageSize),
      let receive = Xen.FrontRing<Xen.NetifRxRequest, Xen.NetifRxResponse>(
        unsafePage: guest.address(1), byteCount: pageSize)
    else { fatalError("a page holds a ring") }
    self.transmit = transmit
    self.receive = receive
    references = (guest.grant(0), guest.grant(1))
  }

  private func reference(_ page: Int) -> GrantReference {
    if let known = pageGrants[page] { return known }
    let new = guest.grant(page)
    pageGrants[page] = new
    return new
  }

  /// Gives pages to receive into.
  public func post(_ count: Int) {
    for _ in 0..<count {
      let page = 2 + nextPage % 128
      guard
        receive.put(
          Xen.NetifRxRequest(
            id: UInt16(nextPage & 0xffff), pad: 0, gref: reference(page).rawValue))
      else { break }
      posted.append(page)
      nextPage += 1
    }
    _ = receive.push()
  }

  /// Puts one slot.
  public func put(
    _ reference: UInt32, offset: Int, size: Int, flags: Xen.NetifTxFlags, id: UInt16 = 0
  ) {
    _ = transmit.put(
      Xen.NetifTxRequest(
        gref: reference, offset: UInt16(offset), flags: flags.rawValue, id: id,
        size: UInt16(size)))
  }

  /// Puts an extra slot.
  public func put(_ extra: Xen.NetifExtraInfo) {
    var slot = Xen.NetifTxRequest()
    withUnsafeMutableBytes(of: &slot) { $0.storeBytes(of: extra, as: Xen.NetifExtraInfo.self) }
    _ = transmit.put(slot)
  }

  /// An extra slot for a large segment.
  public static func segment(_ size: UInt16, type: Xen.NetifGsoType) -> Xen.NetifExtraInfo {
    var extra = Xen.NetifExtraInfo()
    extra.type = Xen.NetifExtraType.gso.rawValue
    extra.u.gso.size = size
    extra.u.gso.type = type.rawValue
    return extra
  }

  /// Sends a frame in pieces of a size.
  public func send(
    _ frame: Bytes, pieces: Int = 4096, flags: Xen.NetifTxFlags = [],
    extra: Xen.NetifExtraInfo? = nil
  ) {
    var place = 0
    var page = 130
    repeat {
      let count = min(pieces, frame.count - place)
      for offset in 0..<count {
        guest.address(page).storeBytes(
          of: frame[place + offset], toByteOffset: offset, as: UInt8.self)
      }
      var own: Xen.NetifTxFlags = place == 0 ? flags : []
      if place + count < frame.count { own.insert(.moreData) }
      if place == 0, extra != nil { own.insert(.extraInfo) }
      put(
        reference(page).rawValue, offset: 0, size: place == 0 ? frame.count : count, flags: own,
        id: UInt16(page))
      if place == 0, let extra { put(extra) }
      place += count
      page += 1
    } while place < frame.count
    _ = transmit.push()
  }

  /// Takes answers to what was sent.
  public func takeStatuses() -> [Int16] {
    var list: [Int16] = []
    while let response = try? transmit.take() { list.append(response.status) }
    return list
  }

  /// Takes frames that arrived; slots are counted, since an extra slot has no id.
  public func takeFrames() -> [ReceivedFrame] {
    var frames: [ReceivedFrame] = []
    var current: ReceivedFrame?
    var goesOn = false
    var awaitsExtra = false
    while let response = try? receive.take() {
      let page = posted.removeFirst()
      if awaitsExtra {
        awaitsExtra = false
        // SAFETY: both are 8 bytes of numbers.
        let extra = withUnsafeBytes(of: response) {
          $0.loadUnaligned(as: Xen.NetifExtraInfo.self)
        }
        precondition(extra.type == Xen.NetifExtraType.gso.rawValue)
        current?.segmentSize = extra.u.gso.size
      } else {
        let flags = Xen.NetifRxFlags(rawValue: response.flags)
        if current == nil {
          current = ReceivedFrame(bytes: [], flags: flags, segmentSize: 0, pieceCount: 0)
          awaitsExtra = flags.contains(.extraInfo)
        }
        goesOn = flags.contains(.moreData)
        current?.pieceCount += 1
        if response.status > 0 {
          current?.bytes += Bytes(
            UnsafeRawBufferPointer(start: guest.address(page), count: Int(response.status)))
        }
      }
      if !goesOn, !awaitsExtra, let frame = current {
        frames.append(frame)
        current = nil
      }
    }
    return frames
  }
}
