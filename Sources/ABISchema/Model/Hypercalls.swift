// Hypercalls, their sub-operations and what can go wrong with them.

/// Who may issue a hypercall.
public enum Caller: String, Sendable, CaseIterable {
  /// Any PV guest.
  case guest
  /// Guests that were given the right to hardware or to another domain.
  case privileged
  /// The control domain.
  case domain0
  /// Only guests in hardware containers.
  case hvm
}

/// One argument in a register.
public struct HypercallArgument: Sendable, Equatable {
  public var name: String
  public var type: TypeReference
  public var doc: String?
  /// The group of constants that the values come from.
  public var values: String?
  /// The only architecture whose hypercall takes the argument.
  public var architecture: Architecture?
  public var position: SourcePosition
}

/// One error and when it is returned.
public struct ErrorCase: Sendable, Equatable {
  public var code: String
  public var when: String
  public var position: SourcePosition
}

/// One sub-operation, chosen by the hypercall's command argument.
public struct Operation: Sendable, Equatable {
  public var entry: Entry
  public var number: Int128
  /// The type that the argument points to; `nil` where there is none.
  public var argument: TypeReference?
  /// The argument points to an array of them.
  public var isBatch: Bool
  public var architecture: Architecture?
  public var caller: Caller
  public var returns: String?
  public var errors: [ErrorCase]
  /// What the guest must have set up.
  public var before: String?
  public var preemption: String?
  /// The operation that this one is another name of.
  public var alias: String?
  public var cName: String
}

/// One hypercall.
public struct Hypercall: Sendable, Equatable {
  public var entry: Entry
  public var number: PerArchitecture<Int128>
  public var caller: Caller
  public var arguments: [HypercallArgument]
  public var returns: String?
  public var errors: [ErrorCase]
  /// What the guest must have set up.
  public var before: String?
  public var preemption: String?
  public var operations: [Operation]
  /// The number is reserved and nothing more is said about it.
  public var numberOnly: Bool
  /// A function can wrap it; `iret` is entered by a jump and has none.
  public var hasWrapper: Bool
}
