// Who may read and write a node.
//
//   n5 r7 b9     the first names the owner (5) and what everybody else may (n: nothing);
//                the others name single domains (7 reads, 9 reads and writes)

/// What may be done with a node.
public struct StoreAccess: OptionSet, Hashable, Sendable {
  public var rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Read.
  public static var read: StoreAccess { StoreAccess(rawValue: 1) }
  /// Write.
  public static var write: StoreAccess { StoreAccess(rawValue: 2) }
  /// Change the permissions.
  public static var owner: StoreAccess { StoreAccess(rawValue: 4) }

  /// The letter on the wire.
  var letter: UInt8 {
    if contains([.read, .write]) { return UInt8(ascii: "b") }
    if contains(.read) { return UInt8(ascii: "r") }
    return UInt8(ascii: contains(.write) ? "w" : "n")
  }

  /// What a letter on the wire allows.
  init?(letter: UInt8) {
    switch letter {
    case UInt8(ascii: "n"): self = []
    case UInt8(ascii: "r"): self = .read
    case UInt8(ascii: "w"): self = .write
    case UInt8(ascii: "b"): self = [.read, .write]
    default: return nil
    }
  }
}

/// One entry: a domain and what it may.
public struct StorePermission: Hashable, Sendable {
  /// The domain.
  public var domain: DomainID
  /// What it may; in the first entry, what all others may.
  public var access: StoreAccess

  /// An entry.
  public init(_ domain: DomainID, _ access: StoreAccess) {
    self.domain = domain
    self.access = access
  }
}

/// The permissions of a node; there is always a first entry.
public struct StorePermissions: Hashable, Sendable {
  /// The owner, and what all others may.
  public var first: StorePermission
  /// What single domains may.
  public var others: [StorePermission] = []

  /// A node of an owner.
  public init(owner: DomainID, everybody: StoreAccess = []) {
    first = StorePermission(owner, everybody)
  }

  /// Reads permissions from the wire.
  ///
  /// A guest may send none, unknown letters, and numbers that no domain can have: these are domains
  /// that are not there.
  init(_ texts: [Bytes]) throws(StoreError) {
    var entries: [StorePermission] = []
    for text in texts {
      guard let letter = text.first, let access = StoreAccess(letter: letter) else {
        throw .invalid
      }
      let isNegative = text.count > 2 && text[1] == UInt8(ascii: "-")
      let digits = Bytes(text.dropFirst(isNegative ? 2 : 1))
      guard digits.decimal != nil else { throw .invalid }
      guard !isNegative, let domain = DomainID(digits) else { throw .noEntry }
      entries.append(StorePermission(domain, access))
    }
    guard let first = entries.first else { throw .invalid }
    self.first = first
    others = Array(entries.dropFirst())
  }

  /// How many entries there are.
  var count: Int { 1 + others.count }

  /// The entries as they go over the wire.
  var text: Bytes {
    var text = Bytes()
    Self.append(first, to: &text)
    for entry in others { Self.append(entry, to: &text) }
    return text
  }
  private static func append(_ entry: StorePermission, to text: inout Bytes) {
    text.append(entry.access.letter)
    text.append(contentsOf: Bytes(decimal: UInt64(entry.domain.rawValue)))
    text.append(0)
  }

  /// What a client may; one with a target has the target's rights too.
  func access(for domain: DomainID, target: DomainID?) -> StoreAccess {
    if domain == .control || domain == first.domain || (target != nil && target == first.domain) {
      return [.read, .write, .owner]
    }
    for entry in others where entry.domain == domain || entry.domain == target {
      return entry.access
    }
    return first.access
  }

  /// Takes a dead domain out, so that a later domain of its number inherits nothing.
  ///
  /// Returns whether there was anything to take.
  mutating func forget(_ domain: DomainID) -> Bool {
    let count = others.count
    others.removeAll { $0.domain == domain }
    guard first.domain == domain else { return others.count != count }
    first.domain = .control
    return true
  }
}
