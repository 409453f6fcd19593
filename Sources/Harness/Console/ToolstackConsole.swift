// What domain 0 of stock Xen prints: its own business, and lines of its first process that tell how far
// it is with the guest. The guest has another serial line, so nothing of it can be among them.

/// Reads domain 0's lines.
struct ToolstackConsole {
  /// What a line tells.
  enum Notice: Equatable {
    /// The toolstack runs; the guest is started next.
    case ready
    /// The guest ended.
    case ended(DomainEnd)
    /// The toolstack would not start the guest.
    case refused(String)
    /// Domain 0 cannot go on.
    case failed(String)
  }

  private static let longestLine = 16 << 10
  private static let name = "xenograft: "

  private var line: [UInt8] = []

  /// Takes bytes in and gives out the lines that they complete, without newlines.
  mutating func take(_ bytes: [UInt8]) -> [String] {
    var lines: [String] = []
    for byte in bytes {
      if byte == 0x0A || line.count >= Self.longestLine {
        lines.append(text)
        line = []
        if byte == 0x0A { continue }
      }
      line.append(byte)
    }
    return lines
  }

  /// What stands on the last line; `nil` where nothing does.
  mutating func finish() -> String? {
    defer { line = [] }
    return line.isEmpty ? nil : text
  }

  /// The line without carriage returns at its end: Linux's terminal and Xen add one each.
  private var text: String {
    let end = line.lastIndex { $0 != 0x0D }.map { $0 + 1 } ?? 0
    return String(decoding: line[..<end], as: UTF8.self)
  }

  /// What a line tells; `nil` where it is for people alone.
  static func notice(in line: String) -> Notice? {
    guard let text = line.dropping(prefix: name) else { return nil }
    if text == "ready" { return .ready }
    let words = text.split(separator: ": ", maxSplits: 1)
    guard words.count == 2 else { return nil }
    return switch words[0] {
    case "ended": Int(words[1]).map { .ended(end($0)) }
    case "refused": .refused(String(words[1]))
    case "failed": .failed(String(words[1]))
    default: nil
    }
  }

  /// A domain's end by the number that it gave to SCHEDOP_shutdown.
  private static func end(_ reason: Int) -> DomainEnd {
    switch reason {
    case 0: DomainEnd(verdict: .poweroff, reason: "poweroff")
    case 1: DomainEnd(verdict: .reboot, reason: "reboot")
    case 2: DomainEnd(verdict: .suspended, reason: "suspend")
    case 3: DomainEnd(verdict: .crash, reason: "crash")
    case 4: DomainEnd(verdict: .crash, reason: "watchdog")
    case 5: DomainEnd(verdict: .reboot, reason: "soft-reset")
    default: DomainEnd(verdict: .crash, reason: "unknown")
    }
  }
}
