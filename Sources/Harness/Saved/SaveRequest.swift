// When a guest is saved, and where to.

/// A guest that is saved while it runs.
public struct SaveRequest: Sendable, Equatable {
  /// The file that is written.
  public var path: String
  /// A line of the guest's console that this regular expression matches is the time; without one it is
  /// the guest's first output, or where it is restored its start.
  public var pattern: String?
  /// How long to wait after that.
  public var delay: Duration = .zero
  /// The guest goes on when it is saved; else the run ends.
  public var continues = false

  /// A guest that is saved to a file.
  public init(path: String) { self.path = path }
}
