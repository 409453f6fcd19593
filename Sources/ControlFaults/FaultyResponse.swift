// How single responses are changed, for each kind of ring.

import CXenABI
import ControlCore
import XenABI

/// A response of a ring, as faults change it.
protocol FaultyResponse {
  /// Changes the response; the salt differs from strike to strike.
  mutating func strike(_ act: FaultAct, salt: Int)
  /// Takes the place of a response behind one that was struck; `left` more do.
  mutating func follow(_ act: FaultAct, left: Int)
  /// How many responses behind one that was struck are replaced.
  static func followers(_ act: FaultAct) -> Int
}

extension FaultyResponse {
  mutating func follow(_ act: FaultAct, left: Int) {}
  static func followers(_ act: FaultAct) -> Int { 0 }
}

extension Xen.BlkifResponse: FaultyResponse {
  mutating func strike(_ act: FaultAct, salt: Int) {
    switch act {
    case .wrongID: id ^= 1
    case .hugeID: id = .max &- UInt64(salt)
    case .oldSerial: id &-= 1 << 32
    case .wrongOperation: operation = operation == 0 ? 1 : 0
    case .unknownStatus: status = 77
    case .error: status = Xen.BlkifStatus.error.rawValue
    case .unsupported: status = Xen.BlkifStatus.eopnotsupp.rawValue
    case .rewritten where salt & 1 == 0: id ^= 2
    case .rewritten: status = Xen.BlkifStatus.error.rawValue
    default: break
    }
  }
}

extension BlkifNarrowResponse: FaultyResponse {
  mutating func strike(_ act: FaultAct, salt: Int) {
    var wide = Xen.BlkifResponse()
    wide.id = UInt64(words[0]) | UInt64(words[1]) << 32
    wide.operation = UInt8(truncatingIfNeeded: words[2])
    wide.status = Int16(truncatingIfNeeded: words[2] >> 16)
    wide.strike(act, salt: salt)
    words[0] = UInt32(truncatingIfNeeded: wide.id)
    words[1] = UInt32(truncatingIfNeeded: wide.id >> 32)
    words[2] = UInt32(wide.operation) | UInt32(UInt16(bitPattern: wide.status)) << 16
  }
}

extension Xen.NetifTxResponse: FaultyResponse {
  mutating func strike(_ act: FaultAct, salt: Int) {
    switch act {
    case .wrongID: id = .max &- UInt16(truncatingIfNeeded: salt)
    case .error: status = Xen.NetifStatus.error.rawValue
    case .unknownStatus: status = 77
    case .null: status = Xen.NetifStatus.null.rawValue
    default: break
    }
  }
}

extension Xen.NetifRxResponse: FaultyResponse {
  mutating func strike(_ act: FaultAct, salt: Int) {
    switch act {
    case .wrongID: id ^= 1
    case .error: status = Xen.NetifStatus.error.rawValue
    case .offset: offset = 4090
    case .oversized: status = 5000
    case .short: status = min(status, 20)
    case .empty: status = 0
    case .moreData: flags |= Xen.NetifRxFlags.moreData.rawValue
    case .extraEndless, .extraType, .largeZero, .largeType:
      flags |= Xen.NetifRxFlags.extraInfo.rawValue
    case .rewritten where salt & 1 == 0: id ^= 2
    case .rewritten: status = 1
    default: break
    }
  }

  mutating func follow(_ act: FaultAct, left: Int) {
    var extra = Xen.NetifExtraInfo()
    extra.type = Xen.NetifExtraType.gso.rawValue
    extra.u.gso.type = Xen.NetifGsoType.tcpv4.rawValue
    extra.u.gso.size = 1400
    switch act {
    case .extraEndless: extra.flags = Xen.NetifExtraFlags.xenNetifExtraFlagMore.rawValue
    case .extraType: extra.type = 200
    case .largeZero: extra.u.gso.size = 0
    default: extra.u.gso.type = 99
    }
    // SAFETY: both are 8 bytes of numbers; the ABI lays one over the other.
    self = withUnsafeBytes(of: extra) { $0.loadUnaligned(as: Xen.NetifRxResponse.self) }
  }

  static func followers(_ act: FaultAct) -> Int {
    switch act {
    // Each takes the place of a frame, and a guest that pings once a second tries 20 times.
    case .extraEndless: 12
    case .extraType, .largeZero, .largeType: 1
    default: 0
    }
  }
}
