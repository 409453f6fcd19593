// How a field or argument names its type.

/// The number of elements of an array.
public enum ArrayCount: Sendable, Equatable, Hashable {
  case literal(Int)
  /// The name of a constant.
  case constant(String)
  /// As many as the memory holds; only for a structure's last field.
  case flexible
}

/// A type as written in abi/.
public indirect enum TypeReference: Sendable, Equatable, Hashable {
  /// `u8` … `u64`, `i8` … `i64`.
  case integer(bits: Int, signed: Bool)
  /// 8 bytes, aligned to 8 on both architectures.
  case aligned64
  case char
  /// C's `long` or `unsigned long`: 8 bytes or 4.
  case long(signed: Bool)
  /// A guest virtual address of anything.
  case pointer
  /// A guest virtual address of the type inside, `nil` for `void`.
  case handle(TypeReference?)
  /// A scalar or structure that abi/ defines.
  case named(String)
  case array(of: TypeReference, count: ArrayCount)

  /// The notation of abi/: `u8[4]`, `handle<grant_ref_t>`.
  public var notation: String {
    switch self {
    case .integer(let bits, let signed): "\(signed ? "i" : "u")\(bits)"
    case .aligned64: "u64a"
    case .char: "char"
    case .long(let signed): signed ? "long" : "ulong"
    case .pointer: "ptr"
    case .handle(let inner): "handle<\(inner?.notation ?? "void")>"
    case .named(let name): name
    case .array(let element, let count):
      switch count {
      case .literal(let number): element.notationBeforeCount + "[\(number)]" + element.counts
      case .constant(let name): element.notationBeforeCount + "[\(name)]" + element.counts
      case .flexible: element.notationBeforeCount + "[]" + element.counts
      }
    }
  }

  /// The innermost element's notation: `u8` for `u8[2][3]`.
  private var notationBeforeCount: String {
    if case .array(let element, _) = self { return element.notationBeforeCount }
    return notation
  }

  private var counts: String { String(notation.dropFirst(notationBeforeCount.count)) }

  /// The name inside arrays and handles that must be defined somewhere, if there is one.
  public var definedName: String? {
    switch self {
    case .named(let name): name
    case .array(let element, _): element.definedName
    case .handle(let inner): inner?.definedName
    default: nil
    }
  }

  /// The name of a type whose layout this one contains; pointers contain none.
  public var containedName: String? {
    switch self {
    case .named(let name): name
    case .array(let element, _): element.containedName
    default: nil
    }
  }
}
