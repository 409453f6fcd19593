// The ring of a disk in either of its two layouts. A 32-bit guest aligns 64-bit numbers to four
// bytes only, so its slots lack the hole of four bytes in front of the id, and all else is the same:
// putting the hole in makes a slot of this machine's layout out of it.
//
//   64 bits   | op … handle | hole | id | sector …    112 bytes, responses of 16
//   32 bits   | op … handle | id | sector …           108 bytes, responses of 12

import CXenABI
import XenABI

/// A slot as a 32-bit guest lays it out.
public struct BlkifNarrowSlot: BitwiseCopyable {
  /// As in the drawing above.
  public var words = InlineArray<27, UInt32>(repeating: 0)

  /// All zero.
  public init() {}
}

/// An answer as a 32-bit guest reads it.
public struct BlkifNarrowResponse: BitwiseCopyable {
  /// Id, operation and status.
  public var words = InlineArray<3, UInt32>(repeating: 0)

  /// All zero.
  public init() {}
}

/// How a guest lays out its slots.
public enum BlkifLayout: Sendable {
  /// As this machine does (`x86_64-abi`).
  case native
  /// As a 32-bit guest does (`x86_32-abi`).
  case narrow

  /// The layout that the key `protocol` names; a guest may write anything there.
  public init?(_ name: Bytes) {
    if name.equals(Xen.RingProtocol.x8664) {
      self = .native
    } else if name.equals(Xen.RingProtocol.x8632) {
      self = .narrow
    } else {
      return nil
    }
  }
}

/// The backend's end of a ring of requests.
struct BlkifRing {
  private var native: Xen.BackRing<Xen.BlkifRequest, Xen.BlkifResponse>?
  private var narrow: Xen.BackRing<BlkifNarrowSlot, BlkifNarrowResponse>?

  /// A ring in mapped pages; `nil` where they hold no slot.
  init?(unsafePages pages: UnsafeMutableRawPointer, byteCount: Int, layout: BlkifLayout) {
    switch layout {
    case .native:
      native = Xen.BackRing(unsafePage: pages, byteCount: byteCount)
      if native == nil { return nil }
    case .narrow:
      narrow = Xen.BackRing(unsafePage: pages, byteCount: byteCount)
      if narrow == nil { return nil }
    }
  }

  /// Slots of a ring of so many bytes.
  static func slotCount(byteCount: Int, layout: BlkifLayout) -> Int {
    let size =
      layout == .native
      ? MemoryLayout<Xen.BlkifRequest>.size : MemoryLayout<BlkifNarrowSlot>.size
    return Int(xenabi_ring_count(UInt32(truncatingIfNeeded: byteCount), UInt32(size)))
  }

  /// Copies the next slot out; `nil` where there is none.
  mutating func take() throws(Xen.RingBroken) -> Xen.BlkifRequest? {
    if native != nil { return try native?.take() }
    guard let slot = try narrow?.take() else { return nil }
    return Self.widen(slot)
  }
  private static func widen(_ slot: BlkifNarrowSlot) -> Xen.BlkifRequest {
    var wide = Xen.BlkifRequest()
    withUnsafeMutableBytes(of: &wide) { target in
      withUnsafeBytes(of: slot) { source in
        // SAFETY: 4 and 104 of the slot's 108 bytes, to 0 and to 8 of the request's 112.
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<4]))
        UnsafeMutableRawBufferPointer(rebasing: target[8...])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[4...]))
      }
    }
    return wide
  }

  /// Writes an answer.
  mutating func put(id: UInt64, operation: UInt8, status: Xen.BlkifStatus) {
    var response = Xen.BlkifResponse()
    response.id = id
    response.operation = operation
    response.status = status.rawValue
    if native != nil {
      _ = native?.put(response)
      return
    }
    var short = BlkifNarrowResponse()
    withUnsafeMutableBytes(of: &short) { target in
      withUnsafeBytes(of: response) { source in
        // SAFETY: both are at least 12 bytes, and the first 12 lie the same in both layouts.
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<target.count]))
      }
    }
    _ = narrow?.put(short)
  }

  /// Publishes answers; true where the guest wants an event.
  mutating func push() -> Bool {
    if native != nil { return native?.push() ?? false }
    return narrow?.push() ?? false
  }

  /// Asks for an event on the next request; true where one is there already.
  func wait() -> Bool { native?.wait() ?? narrow?.wait() ?? false }
}
