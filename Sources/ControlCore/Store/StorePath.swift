// Names of nodes. A guest may send any bytes as a path; only what passes here becomes a StorePath, so
// nothing behind it meets an empty name, a double slash or a byte that is not allowed.

import XenABI

/// The absolute name of a node, or of a special watch such as `@releaseDomain`.
public struct StorePath: Hashable, Sendable {
  /// The name.
  public let bytes: Bytes

  /// A name that is known to be well formed.
  init(unchecked bytes: Bytes) { self.bytes = bytes }

  /// A name from a literal of this program.
  public init(_ literal: StaticString) { bytes = Bytes(literal) }

  /// The node that everything stands below.
  public static var root: StorePath { StorePath("/") }
  /// Fires when a domain becomes known.
  public static var introduceDomain: StorePath { StorePath("@introduceDomain") }
  /// Fires when a domain is gone.
  public static var releaseDomain: StorePath { StorePath("@releaseDomain") }

  /// The home directory of a domain.
  public static func home(of domain: DomainID) -> StorePath {
    var bytes = Bytes("/local/domain/")
    bytes.append(contentsOf: Bytes(decimal: UInt64(domain.rawValue)))
    return StorePath(unchecked: bytes)
  }

  /// Whether a name that a client sent counts from its home.
  static func isRelative(_ text: Bytes) -> Bool {
    text.first != UInt8(ascii: "/") && text.first != UInt8(ascii: "@")
  }

  /// Checks a name that a client sent; a relative one counts from the client's home.
  public init(_ text: Bytes, from domain: DomainID) throws(StoreError) {
    if Self.isRelative(text) {
      guard text.count <= Int(Xen.XenstoreLimits.relPathMax) else { throw .invalid }
      var whole = Self.home(of: domain).bytes
      whole.append(UInt8(ascii: "/"))
      whole.append(contentsOf: text)
      try self.init(checking: whole)
    } else {
      try self.init(checking: text)
    }
  }
  private init(checking text: Bytes) throws(StoreError) {
    // The zero byte counts: xenstored refuses 3072 bytes without it.
    guard let last = text.last, text.count < Int(Xen.XenstoreLimits.absPathMax),
      text.count == 1 || last != UInt8(ascii: "/")
    else { throw .invalid }
    var previous: UInt8 = 0
    for byte in text {
      guard Self.isAllowed(byte),
        byte != UInt8(ascii: "/") || previous != UInt8(ascii: "/")
      else { throw .invalid }
      previous = byte
    }
    bytes = text
  }
  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "/"),
      UInt8(ascii: "_"), UInt8(ascii: "@"):
      true
    default: false
    }
  }

  /// Whether the name is one of the special ones, which are no place in the tree.
  public var isSpecial: Bool { bytes.first == UInt8(ascii: "@") }

  /// Where the last part of the name begins.
  private var leafStart: Int {
    var index = bytes.count
    while index > 0, bytes[index - 1] != UInt8(ascii: "/") { index -= 1 }
    return index
  }

  /// The last part of the name.
  public var leaf: Bytes { Bytes(bytes[leafStart...]) }

  /// The node above; `nil` for the root and for special names.
  public var parent: StorePath? {
    guard !isSpecial, bytes.count > 1 else { return nil }
    let start = leafStart
    return start == 1 ? .root : StorePath(unchecked: Bytes(bytes[..<(start - 1)]))
  }

  /// The node of a name below this one; the name must be a checked one.
  public func child(_ name: Bytes) -> StorePath {
    var whole = bytes
    if whole.count > 1 { whole.append(UInt8(ascii: "/")) }
    whole.append(contentsOf: name)
    return StorePath(unchecked: whole)
  }

  /// The node of a name below this one, from a literal of this program.
  public func child(_ name: StaticString) -> StorePath { child(Bytes(name)) }

  /// Whether another node is this one or stands below it.
  public func contains(_ other: StorePath) -> Bool {
    guard other.bytes.begins(with: bytes) else { return false }
    if other.bytes.count == bytes.count { return true }
    if bytes.count == 1 { return bytes[0] == UInt8(ascii: "/") && !other.isSpecial }
    return other.bytes[bytes.count] == UInt8(ascii: "/") && !isSpecial
  }
}
