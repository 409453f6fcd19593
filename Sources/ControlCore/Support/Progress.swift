// What a bounded piece of work leaves to its caller.

/// What is to be done after a step.
public struct Progress: Equatable, Sendable {
  /// The other side is to be sent an event.
  public var notify = false
  /// There is more to do: call again after others have had their turn.
  public var more = false
  /// The other side broke the protocol; the device is to be disconnected.
  public var isBroken = false

  /// Nothing is to be done.
  public init(notify: Bool = false, more: Bool = false, isBroken: Bool = false) {
    self.notify = notify
    self.more = more
    self.isBroken = isBroken
  }
}
