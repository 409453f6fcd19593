// With a control domain every guest's line carries its domain's number, whichever way it came: what
// has none is the control domain's own. Here they part.

/// Takes the control domain's lines out of those of the guests.
struct ControlConsole {
  /// What a piece of the serial line turned out as.
  enum Piece: Equatable {
    /// Whole lines of guests, or parts of one where it is typed on.
    case guest([UInt8])
    /// A line of the control domain, without its name and newline.
    case control(String)
  }

  private static let longestLine = 16 << 10
  private static let name = "controldomain: "

  /// What begins the lines of the guest whose lines are passed on without it.
  private let plainPrefix: [UInt8]?
  /// A line of that guest that ends in ETB goes on in its next one.
  private let isInteractive: Bool
  private var line: [UInt8] = []

  /// `plain` is the domain whose lines lose their number, if any; `isInteractive` says that the control
  /// domain hands its lines over before they end.
  init(plain: Int?, isInteractive: Bool = false) {
    self.isInteractive = isInteractive
    plainPrefix = plain.map { Array("(d\($0)) ".utf8) }
  }

  /// Takes bytes in and gives out the lines that they complete.
  mutating func take(_ bytes: [UInt8]) -> [Piece] {
    var pieces: [Piece] = []
    for byte in bytes {
      line.append(byte)
      if byte == 0x0A || line.count >= Self.longestLine { end(&pieces) }
    }
    return pieces
  }

  /// What stands on the last line.
  mutating func finish() -> [Piece] {
    var pieces: [Piece] = []
    if !line.isEmpty { end(&pieces) }
    return pieces
  }

  private mutating func end(_ pieces: inout [Piece]) {
    defer { line = [] }
    if let plainPrefix, line.starts(with: plainPrefix) {
      line.removeFirst(plainPrefix.count)
      if isInteractive, line.suffix(2) == [0x17, 0x0A] { line.removeLast(2) }
      pieces.append(.guest(line))
    } else if Self.isGuest(line) {
      pieces.append(.guest(line))
    } else {
      let text = String(decoding: line.prefix { $0 != 0x0A }, as: UTF8.self)
      pieces.append(
        .control(text.hasPrefix(Self.name) ? String(text.dropFirst(Self.name.count)) : text))
    }
  }

  /// Whether a line begins as `(d12) ` does.
  private static func isGuest(_ line: [UInt8]) -> Bool {
    guard line.starts(with: [0x28, 0x64]) else { return false }
    let rest = line.dropFirst(2).drop { $0 >= 0x30 && $0 <= 0x39 }
    return rest.count < line.count - 2 && rest.starts(with: [0x29, 0x20])
  }
}
