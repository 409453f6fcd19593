// Event channels, as backends use them.

/// A port of our own.
public struct EventPort: Hashable, Sendable {
  /// The number.
  public let rawValue: UInt32
  /// A port by its number.
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// How a backend is connected to a guest's port.
public protocol EventAccess {
  /// Binds to a port that a guest has allocated for us; `nil` where it has not.
  func bind(_ remote: UInt32, of domain: DomainID) -> EventPort?
  /// Ends a binding.
  func unbind(_ port: EventPort)
  /// Sends an event to the other end.
  func notify(_ port: EventPort)
}
