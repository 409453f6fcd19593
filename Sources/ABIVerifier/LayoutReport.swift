// What comparing a binary's structures with the ABI gave. Data only; renderers are at the end.

/// How one structure or field compares.
public enum LayoutVerdict: String, Sendable {
  case match
  case mismatch
  /// The binary does not have it.
  case absent
}

/// A number of the ABI, and the binary's.
public struct LayoutPair: Sendable, Equatable {
  public var abi: Int
  public var found: Int?

  public init(abi: Int, found: Int?) {
    self.abi = abi
    self.found = found
  }
}

/// One field.
public struct FieldReport: Sendable {
  public var name: String
  public var verdict: LayoutVerdict
  public var offset: LayoutPair
  public var size: LayoutPair
  /// The binary's name for the same bytes, where it differs.
  public var foundName: String?
}

/// One structure.
public struct StructureReport: Sendable {
  public var name: String
  /// The binary's name for it: `struct start_info`.
  public var dwarfName: String?
  public var declaredIn: String?
  public var verdict: LayoutVerdict
  public var size: LayoutPair
  public var fields: [FieldReport]
}

/// The comparison of one binary.
public struct LayoutReport: Sendable {
  public var path: String
  public var architecture: String
  /// In the order of abi/.
  public var structures: [StructureReport]

  public func count(_ verdict: LayoutVerdict) -> Int {
    structures.count { $0.verdict == verdict }
  }
}
