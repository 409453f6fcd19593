// What happens in a run, as one line of JSON each: for programs that watch while it goes on.

import Foundation

/// Something that happened at a time.
public struct BootEvent: Sendable, Equatable {
  /// What happened.
  public enum Kind: Sendable, Equatable {
    /// A whole line of the guests' console.
    case guest(line: String)
    /// A line of the hypervisor without its prefix.
    case hypervisor(line: String)
    /// An expectation was met by a line.
    case expected(pattern: String, line: String)
    /// A domain ended.
    case domainEnded(id: Int, verdict: Verdict, reason: String)
    /// The run is over; the last event.
    case ended(Verdict)
  }

  /// Seconds of wall time from QEMU's start.
  public var seconds: Double
  public var kind: Kind

  /// The event as one line of JSON, with a newline at its end.
  public func json() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(EventDocument(event: self)) else {
      preconditionFailure("numbers and text alone are encoded")
    }
    return Array(data) + [0x0A]
  }
}

private struct EventDocument: Encodable {
  var event: BootEvent

  private enum Key: String, CodingKey {
    case seconds, event, line, pattern, domain, verdict, reason
  }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode((event.seconds * 1000).rounded() / 1000, forKey: .seconds)
    switch event.kind {
    case .guest(let line):
      try object.encode("guest", forKey: .event)
      try object.encode(line, forKey: .line)
    case .hypervisor(let line):
      try object.encode("hypervisor", forKey: .event)
      try object.encode(line, forKey: .line)
    case .expected(let pattern, let line):
      try object.encode("expected", forKey: .event)
      try object.encode(pattern, forKey: .pattern)
      try object.encode(line, forKey: .line)
    case .domainEnded(let id, let verdict, let reason):
      try object.encode("domain-ended", forKey: .event)
      try object.encode(id, forKey: .domain)
      try object.encode(verdict, forKey: .verdict)
      try object.encode(reason, forKey: .reason)
    case .ended(let verdict):
      try object.encode("ended", forKey: .event)
      try object.encode(verdict, forKey: .verdict)
    }
  }
}
