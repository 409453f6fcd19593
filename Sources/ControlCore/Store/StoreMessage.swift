// Messages as they go over a ring: a header of four words, then up to 4096 bytes.
//
//   0      4        8       12      16
//   | type | req_id | tx_id | len   | payload …

import CXenABI
public import XenABI

/// A request, an answer or a watch event.
public struct StoreMessage {
  /// What it is.
  public var type: Xen.XenstoreType
  /// Chosen by the client and repeated in the answer.
  public var request: UInt32 = 0
  /// The transaction, or 0.
  public var transaction: UInt32 = 0
  /// What follows the header.
  public var payload: Bytes

  /// A message.
  public init(
    type: Xen.XenstoreType, request: UInt32 = 0, transaction: UInt32 = 0, payload: Bytes
  ) {
    self.type = type
    self.request = request
    self.transaction = transaction
    self.payload = payload
  }

  /// Bytes of a header.
  public static var headerSize: Int { MemoryLayout<Xen.XsdSockmsg>.size }

  /// The whole message.
  public var bytes: Bytes {
    let header = Xen.XsdSockmsg(
      type: type.rawValue, req_id: request, tx_id: transaction,
      len: UInt32(truncatingIfNeeded: payload.count))
    var bytes = withUnsafeBytes(of: header) { Bytes($0) }
    bytes.append(contentsOf: payload)
    return bytes
  }

  /// Reads a header; `nil` where the bytes are fewer than one.
  static func header(_ bytes: Bytes) -> Xen.XsdSockmsg? {
    guard bytes.count >= headerSize else { return nil }
    // SAFETY: the bytes are at least as many as the structure's, all of which are plain numbers.
    return bytes.withUnsafeBytes { $0.loadUnaligned(as: Xen.XsdSockmsg.self) }
  }

  /// A message out of whole bytes; `nil` where they are not one message.
  public init?(_ bytes: Bytes) {
    guard let header = Self.header(bytes), Int(header.len) == bytes.count - Self.headerSize
    else { return nil }
    self.init(
      type: Xen.XenstoreType(rawValue: header.type), request: header.req_id,
      transaction: header.tx_id, payload: Bytes(bytes[Self.headerSize...]))
  }

  /// The payload as texts that each end with a zero byte, if it is that and nothing more.
  var texts: [Bytes]? {
    guard payload.last == 0 else { return nil }
    var texts: [Bytes] = []
    var start = 0
    for index in payload.indices where payload[index] == 0 {
      texts.append(Bytes(payload[start..<index]))
      start = index + 1
    }
    return texts
  }

  /// The payload as one text with a zero byte at its end.
  var onlyText: Bytes? {
    guard let texts, texts.count == 1 else { return nil }
    return texts[0]
  }

  /// The text up to the first zero byte, and what follows it.
  var textAndRest: (text: Bytes, rest: Bytes)? {
    guard let end = payload.firstIndex(of: 0) else { return nil }
    return (Bytes(payload[..<end]), Bytes(payload[(end + 1)...]))
  }
}
