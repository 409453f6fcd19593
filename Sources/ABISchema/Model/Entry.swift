// What every entry of abi/ carries: a name, its description, and where it comes from.

/// The part that all entries share.
public struct Entry: Sendable, Equatable {
  public var name: String
  /// One to four sentences.
  public var doc: String
  /// Header and section of Xen's public interface.
  public var source: String
  /// The first version of Xen that has it.
  public var since: String
  /// For guests: when one needs it; `nil` where the description says enough.
  public var when: String?
  /// What to use instead, where the entry should no longer be used.
  public var deprecated: String?
  /// The name is ours: Xen's headers do not spell it.
  public var isOwn: Bool
  /// Where the entry's name stands in abi/.
  public var position: SourcePosition

  public init(
    name: String, doc: String, source: String, since: String, when: String? = nil,
    deprecated: String? = nil, isOwn: Bool = false, position: SourcePosition
  ) {
    self.name = name
    self.doc = doc
    self.source = source
    self.since = since
    self.when = when
    self.deprecated = deprecated
    self.isOwn = isOwn
    self.position = position
  }
}
