// One serial line carries the hypervisor's messages and the guest's console; this takes them apart
// while they come. Guest bytes are passed on at once, except where they might begin a message.
//
// Rootstock says by SYN and a newline that a line of domain 0 is broken off for somebody else's line and
// goes on afterwards: its parts are put together, and lines of other domains wait until it is whole.

/// A piece of the serial line.
enum ConsolePiece: Equatable {
  /// Bytes of the guest, of any length.
  case guest([UInt8])
  /// A whole line of the hypervisor without its prefix.
  case hypervisor(String)
}

/// Separates lines that begin with the hypervisor's prefix from all else.
struct ConsoleSplitter {
  /// A line of the hypervisor is cut here; no honest one is as long.
  private static let longestLine = 16 << 10

  private let prefix: [UInt8]
  private var state = State.lineStart
  /// What was read of a line that may yet turn out as the hypervisor's, or of its message.
  private var held: [UInt8] = []
  private var output: [UInt8] = []
  private var heldReturn = false
  /// A SYN that may break a line.
  private var heldBreak = false
  /// The guest's line is broken off.
  private var isBroken = false
  /// Lines of other domains that came meanwhile.
  private var deferred: [UInt8] = []
  /// The last whole line was the hypervisor's.
  private var isBehindMessage = false

  private enum State {
    case lineStart
    case guestLine
    case otherLine
    case message
  }

  /// A splitter of lines that begin with `prefix`.
  init(prefix: String) {
    self.prefix = Array(prefix.utf8)
  }

  /// Takes bytes in as they arrive and gives out what is certain.
  mutating func take(_ bytes: some Sequence<UInt8>) -> [ConsolePiece] {
    var pieces: [ConsolePiece] = []
    for byte in bytes {
      // Both sides write CR LF on the line; what we pass on has LF alone.
      if heldReturn {
        heldReturn = false
        if byte != 0x0A { step(0x0D, &pieces) }
      }
      if byte == 0x0D {
        heldReturn = true
      } else {
        step(byte, &pieces)
      }
    }
    flushGuest(&pieces)
    return pieces
  }

  /// The line has ended for good: gives out what was held back.
  mutating func finish() -> [ConsolePiece] {
    var pieces: [ConsolePiece] = []
    switch state {
    case .message: pieces.append(.hypervisor(String(decoding: held, as: UTF8.self)))
    // The line ends where the emulator does, inside the hypervisor's next message perhaps.
    case .lineStart where isBehindMessage: break
    case .lineStart, .guestLine, .otherLine: output += held
    }
    if !deferred.isEmpty { output += [0x0A] + deferred }
    held = []
    deferred = []
    state = .lineStart
    flushGuest(&pieces)
    return pieces
  }

  private mutating func step(_ byte: UInt8, _ pieces: inout [ConsolePiece]) {
    if heldBreak {
      heldBreak = false
      if byte == 0x0A {
        isBroken = true
        state = .lineStart
        return
      }
      output.append(0x16)
    }
    switch state {
    case .guestLine where byte == 0x16:
      heldBreak = true
    case .otherLine:
      deferred.append(byte)
      if byte == 0x0A { state = .lineStart }
      if deferred.count >= Self.longestLine { endBrokenLine(with: [0x0A]) }
    case .message:
      if byte == 0x0A || held.count >= Self.longestLine {
        pieces.append(.hypervisor(String(decoding: held, as: UTF8.self)))
        held = []
        isBehindMessage = true
        state = byte == 0x0A ? .lineStart : .message
        if byte == 0x0A { return }
      }
      held.append(byte)
    case .guestLine:
      output.append(byte)
      if byte == 0x0A { endGuestLine() }
    case .lineStart:
      held.append(byte)
      if isBroken && Self.isOtherDomains(held) {
        if byte == 0x20 {
          deferred += held
          held = []
          state = .otherLine
        }
        return
      }
      guard prefix.starts(with: held) else {
        output += held
        held = []
        isBehindMessage = false
        state = .guestLine
        if byte == 0x0A { endGuestLine() }
        return
      }
      if held.count == prefix.count {
        held = []
        flushGuest(&pieces)
        state = .message
      }
    }
  }

  private mutating func endGuestLine() {
    state = .lineStart
    if isBroken { endBrokenLine(with: []) }
  }

  private mutating func endBrokenLine(with end: [UInt8]) {
    output += end + deferred
    deferred = []
    isBroken = false
  }

  /// Whether bytes are the prefix of another domain's line, as in `(d12) `, or its beginning.
  private static func isOtherDomains(_ bytes: [UInt8]) -> Bool {
    guard "(d".utf8.starts(with: bytes.prefix(2)) else { return false }
    let rest = bytes.dropFirst(2)
    let digits = rest.prefix { (0x30...0x39).contains($0) }
    let end = rest.dropFirst(digits.count)
    return (end.isEmpty || !digits.isEmpty) && ") ".utf8.starts(with: end)
  }

  private mutating func flushGuest(_ pieces: inout [ConsolePiece]) {
    guard !output.isEmpty else { return }
    pieces.append(.guest(output))
    output = []
  }
}
