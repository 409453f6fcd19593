// Keys of a device's two directories. What the frontend's hold was written by a guest: each value is
// read once, and is good only in the exact form and range that the reader names.

/// What is wrong with a frontend's keys, or with what they name.
public enum XenbusFault: UInt8, Error, Hashable, Sendable {
  /// A key is missing.
  case missing
  /// A key is not what it must be.
  case malformed
  /// A number is larger than allowed.
  case tooLarge
  /// A layout or mode that this backend does not know.
  case unsupported
  /// Pages that the guest names are not granted to us.
  case notGranted
  /// A port that the guest names is not for us.
  case notBound

  /// As it is noted in the store.
  public var text: StaticString {
    switch self {
    case .missing: "2 a key is missing"
    case .malformed: "22 a key is malformed"
    case .tooLarge: "34 a number is too large"
    case .unsupported: "95 not supported"
    case .notGranted: "14 a page is not granted"
    case .notBound: "22 a port is not bound"
    }
  }
}

/// The keys that a frontend has written.
public struct FrontendKeys<Store: StoreAccessing> {
  let store: Store
  let directory: StorePath

  /// Keys of a directory.
  public init(_ store: Store, _ directory: StorePath) {
    self.store = store
    self.directory = directory
  }

  /// The keys of one queue, in a directory of their own.
  public func queue(_ number: Int) -> FrontendKeys {
    FrontendKeys(store, directory.child(Bytes("queue-") + Bytes(decimal: UInt64(number))))
  }

  /// A text; `nil` where there is none.
  public func text(_ name: Bytes) -> Bytes? { store.read(directory.child(name)) }

  /// A number up to a limit; `nil` where there is none.
  public func number(_ name: Bytes, to limit: UInt64) throws(XenbusFault) -> UInt64? {
    guard let text = text(name) else { return nil }
    guard let number = text.decimal else { throw .malformed }
    guard number <= limit else { throw .tooLarge }
    return number
  }

  /// A number up to a limit, which must be there.
  public func required(_ name: StaticString, to limit: UInt64) throws(XenbusFault) -> UInt64 {
    guard let number = try number(Bytes(name), to: limit) else { throw .missing }
    return number
  }

  /// A number up to a limit, or what its absence means.
  public func number(
    _ name: StaticString, to limit: UInt64, or absent: UInt64
  ) throws(XenbusFault) -> UInt64 {
    try number(Bytes(name), to: limit) ?? absent
  }

  /// A switch, which is off where it is absent or anything but 1.
  public func isSet(_ name: StaticString) -> Bool { text(Bytes(name))?.equals("1") ?? false }

  /// A grant reference, which must be there.
  public func reference(_ name: Bytes) throws(XenbusFault) -> GrantReference {
    guard let number = try number(name, to: UInt64(UInt32.max)) else { throw .missing }
    return GrantReference(UInt32(truncatingIfNeeded: number))
  }

  /// A port, which must be there.
  public func port(_ name: StaticString) throws(XenbusFault) -> UInt32 {
    UInt32(truncatingIfNeeded: try required(name, to: UInt64(UInt32.max)))
  }
}

/// The keys that a backend writes.
public struct BackendKeys<Store: StoreAccessing> {
  let store: Store
  let directory: StorePath

  /// Keys of a directory.
  public init(_ store: Store, _ directory: StorePath) {
    self.store = store
    self.directory = directory
  }

  /// Writes a number.
  public func set(_ name: StaticString, _ value: UInt64) {
    store.write(directory.child(name), Bytes(decimal: value))
  }

  /// Writes a switch.
  public func set(_ name: StaticString, _ value: Bool) { set(name, value ? 1 : 0) }

  /// A text of the directory, which the toolstack has written.
  public func text(_ name: StaticString) -> Bytes? { store.read(directory.child(name)) }
}
