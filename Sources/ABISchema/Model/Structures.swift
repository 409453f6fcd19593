// Structures and unions as abi/ describes them; LayoutEngine says where their fields lie.

/// Which way a field travels in an argument.
public enum Direction: String, Sendable, CaseIterable {
  case `in`
  case out
  case `inout`
}

/// What a field holds.
public enum FieldContent: Sendable, Equatable {
  case type(TypeReference)
  /// A structure or union written out in place.
  case members(StructureKind, [Field])
}

public enum StructureKind: String, Sendable, CaseIterable {
  case `struct`
  case union
}

/// One field.
public struct Field: Sendable, Equatable {
  /// `nil` for a nested structure or union whose members belong to the outer one.
  public var name: String?
  public var content: FieldContent
  public var doc: String?
  public var direction: Direction?
  /// The group of constants that the values come from.
  public var values: String?
  /// Bytes without meaning that C would leave as a hole.
  public var isPadding: Bool
  /// The only architecture that has the field.
  public var architecture: Architecture?
  /// The offset that abi/ states, checked against the layout.
  public var declaredOffset: PerArchitecture<Int>
  public var since: String?
  public var position: SourcePosition
}

/// One structure or union.
public struct Structure: Sendable, Equatable {
  public var entry: Entry
  public var kind: StructureKind
  /// C's second name for it: `gnttab_map_grant_ref_t`.
  public var typedef: String?
  /// Xen's own spelling of the tag, where it differs.
  public var cName: String
  /// The size that abi/ states, checked against the layout.
  public var declaredSize: PerArchitecture<Int>
  public var declaredAlignment: PerArchitecture<Int>
  public var isPacked: Bool
  public var fields: [Field]
  /// Where the structure holds two byte streams: the names of their parts.
  public var stream: StreamRing?
  /// The only architecture that has the structure.
  public var architecture: Architecture?

  /// The structure exists for the architecture.
  public func exists(on architecture: Architecture) -> Bool {
    self.architecture == nil || self.architecture == architecture
  }
}
