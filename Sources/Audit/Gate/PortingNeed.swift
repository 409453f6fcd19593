// What a finding asks of a porter: its disposition, once code that a guest never runs is set aside.
// The gate judges by it and every report sorts by it, so that both count alike.

/// How much a finding matters to the port, from nothing to fatal.
public enum PortingNeed: Int, Sendable, CaseIterable, Comparable {
  /// Allowed, unreachable, or on the native side of a paravirtual alternative: nothing to port.
  case nothing
  /// The hypervisor emulates it: right, and slow.
  case emulated
  /// It runs and gives a wrong result.
  case silent
  /// The guest dies on it.
  case replace

  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Finding {
  /// What this finding asks of a porter, suppressed or not.
  public var need: PortingNeed {
    if liveness == .nativeOnly { return .nothing }
    switch disposition {
    case .replace: return .replace
    case .silent: return .silent
    case .emulated: return .emulated
    case .native, .unreachable: return .nothing
    }
  }
}
