// How a hypercall arrives and what becomes of it.

/// The six argument registers of a hypercall.
///
/// A handler that is interrupted leaves its progress here: the same call, made again with these
/// arguments, goes on. The guest can see and change them meanwhile, so they are checked again.
public struct HypercallArguments: Sendable {
  // No array: so that the few arguments that a handler looks at stay in registers.
  private var first, second, third, fourth, fifth, sixth: UInt64

  /// Arguments from the first registers; the rest is zero.
  @inline(__always)
  public init(
    _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0, _ d: UInt64 = 0, _ e: UInt64 = 0,
    _ f: UInt64 = 0
  ) {
    first = a
    second = b
    third = c
    fourth = d
    fifth = e
    sixth = f
  }

  /// One argument of the six; callers name it by a constant.
  @inline(__always)
  public subscript(_ index: Int) -> UInt64 {
    get {
      switch index {
      case 0: first
      case 1: second
      case 2: third
      case 3: fourth
      case 4: fifth
      default: sixth
      }
    }
    set {
      switch index {
      case 0: first = newValue
      case 1: second = newValue
      case 2: third = newValue
      case 3: fourth = newValue
      case 4: fifth = newValue
      default: sixth = newValue
      }
    }
  }
}

/// What a handler answers.
public enum HypercallResult: Hashable, Sendable {
  /// The value for the guest's result register; negative for an error.
  case value(Int64)
  /// Interrupted: the guest makes the call again with the arguments as they are by now, after other
  /// work has had its turn.
  case again

  /// An error of the ABI.
  @inlinable public static func error(_ error: HypercallError) -> Self { .value(-error.rawValue) }
}
