// The two architectures that a PV guest can be built for, and values that differ between them.

/// An architecture of the guest ABI.
public enum Architecture: String, Sendable, CaseIterable, Hashable {
  /// 64-bit guests.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case x86_64
  /// 32-bit guests with PAE page tables.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case x86_32

  /// Size and alignment of a pointer and of `unsigned long`, in bytes.
  public var wordSize: Int { self == .x86_64 ? 8 : 4 }
}

/// A value for each architecture that has one.
public struct PerArchitecture<Value: Sendable & Equatable>: Sendable, Equatable {
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public var x86_64: Value?
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public var x86_32: Value?

  public init(x86_64: Value?, x86_32: Value?) {
    self.x86_64 = x86_64
    self.x86_32 = x86_32
  }

  /// The same value everywhere.
  public init(_ value: Value) {
    self.init(x86_64: value, x86_32: value)
  }

  public subscript(architecture: Architecture) -> Value? {
    get { architecture == .x86_64 ? x86_64 : x86_32 }
    set {
      if architecture == .x86_64 { x86_64 = newValue } else { x86_32 = newValue }
    }
  }

  /// The value where both architectures have it and agree.
  public var common: Value? { x86_64 == x86_32 ? x86_64 : nil }

  /// The value to name where one is enough: that of x86_64 where there is one.
  public var any: Value? { x86_64 ?? x86_32 }

  /// The architectures that have a value.
  public var architectures: [Architecture] { Architecture.allCases.filter { self[$0] != nil } }
}
