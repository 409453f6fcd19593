// What guests and their devices agree on: rings, ELF notes, xenstore keys, states.

/// A ring of requests and responses in one shared page or several.
public struct Ring: Sendable, Equatable {
  public var entry: Entry
  public var request: String
  public var response: String
  /// When an end must tell the other.
  public var notify: String?
  /// The stem of Xen's names for the ring's types.
  public var cName: String
}

/// Two byte streams inside a structure, one for each direction.
///
/// `input` flows to the structure's first user (the guest), `output` away from it.
public struct StreamRing: Sendable, Equatable {
  public var input: String
  public var inputConsumer: String
  public var inputProducer: String
  public var output: String
  public var outputConsumer: String
  public var outputProducer: String
  public var position: SourcePosition
}

/// An ELF note of owner "Xen" in a kernel image.
public struct ELFNote: Sendable, Equatable {
  public var entry: Entry
  public var number: Int128
  /// The form of the note's contents, such as `string` or `numeric`.
  public var value: String
  public var isRequired: Bool
  public var defaultValue: String?
  public var before: String?
  /// Texts, or names in a text, that Xen's loader acts on; it ignores or refuses others.
  public var accepts: [String]
}

/// A key in xenstore by which a frontend and a backend negotiate.
public struct XenstoreKey: Sendable, Equatable {
  public var entry: Entry
  /// `device/vbd/<id>/ring-ref`.
  public var path: String
  /// `frontend`, `backend` or `toolstack`: who writes it.
  public var side: String
  public var type: String
  public var defaultValue: String?
  public var feature: String?
  /// The values that are allowed, in words.
  public var values: String?
  /// When its writer writes it, in words.
  public var written: String?
}

/// One state of a protocol's state machine.
public struct ProtocolState: Sendable, Equatable {
  public var entry: Entry
  public var value: Int128
  /// The states that may follow.
  public var next: [String]
}

/// Prose that belongs to no single entry, as paragraphs of Markdown.
public struct Topic: Sendable, Equatable {
  public var name: String
  public var title: String
  public var doc: String
  public var position: SourcePosition
}

/// A protocol that abi/ names and does not describe.
public struct ProtocolReference: Sendable, Equatable {
  public var entry: Entry
}
