// Where the fields of a structure lie on one architecture.

/// One field's place.
public struct FieldLayout: Sendable, Equatable {
  /// `nil` for a nested structure or union whose members belong to the outer one.
  public var name: String?
  /// From the start of the outermost structure, in bytes.
  public var offset: Int
  /// In bytes.
  public var size: Int
  /// Position among the fields that abi/ lists, those of other architectures included.
  public var index: Int
  public var field: Field
  /// The members of a structure or union written out in place, with offsets from the outermost start.
  public var members: [FieldLayout]
}

/// A structure's layout on one architecture.
public struct StructureLayout: Sendable, Equatable {
  public var size: Int
  public var alignment: Int
  public var fields: [FieldLayout]
  /// Bytes between fields, or after the last, that no field covers.
  public var holes: [Hole]

  /// Bytes that no field covers.
  public struct Hole: Sendable, Equatable {
    public var offset: Int
    public var size: Int
    /// The field before, for messages.
    public var after: SourcePosition?
  }

  /// Every field that C can name, nested ones with their path: `u.op.flags`.
  public var named: [(path: String, layout: FieldLayout)] {
    var found: [(path: String, layout: FieldLayout)] = []
    func walk(_ fields: [FieldLayout], _ prefix: String) {
      for field in fields {
        let path = field.name.map { prefix + $0 }
        if let path { found.append((path, field)) }
        walk(field.members, path.map { $0 + "." } ?? prefix)
      }
    }
    walk(fields, "")
    return found
  }
}
