// Constants and names for scalar types.

/// What a constant is worth.
public enum ConstantValue: Sendable, Equatable, Hashable {
  case integer(Int128)
  case string(String)

  /// The number, `nil` for text.
  public var integer: Int128? {
    if case .integer(let number) = self { return number }
    return nil
  }
}

/// One constant.
public struct Constant: Sendable, Equatable {
  /// Its description is empty where the group's says enough.
  public var entry: Entry
  /// The value for each architecture that has the constant.
  public var values: PerArchitecture<ConstantValue>
  /// Xen's own spelling, where it differs.
  public var cName: String
  /// The constant that this one is another name of.
  public var alias: String?
  /// In a group of flags: covers several flags' bits.
  public var isMask: Bool

  /// One constant where two entries define the same name for different architectures.
  func merged(with other: Self) -> Self {
    var merged = self
    for architecture in Architecture.allCases where merged.values[architecture] == nil {
      merged.values[architecture] = other.values[architecture]
    }
    return merged
  }
}

/// Constants that belong together.
public struct ConstantGroup: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// One of the values at a time.
    case `enum`
    /// Bits that can be combined.
    case flags
    /// Numbers without a relation.
    case values
    /// Text.
    case strings
  }
  public var entry: Entry
  public var kind: Kind
  /// The type that carries a value; `nil` for text and for plain numbers (`uint`).
  public var type: TypeReference?
  public var constants: [Constant]

  public init(entry: Entry, kind: Kind, type: TypeReference?, constants: [Constant]) {
    self.entry = entry
    self.kind = kind
    self.type = type
    self.constants = constants
  }
}

/// A name for a scalar type.
public struct ScalarType: Sendable, Equatable {
  public var entry: Entry
  public var type: TypeReference
  public var cName: String
}
