// One serial line carries the hypervisor's messages and the guest's console; this takes them apart
// while they come. Guest bytes are passed on at once, except where they might begin a message.

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
  /// The last whole line was the hypervisor's.
  private var isBehindMessage = false

  private enum State {
    case lineStart
    case guestLine
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
    case .lineStart, .guestLine: output += held
    }
    held = []
    state = .lineStart
    flushGuest(&pieces)
    return pieces
  }

  private mutating func step(_ byte: UInt8, _ pieces: inout [ConsolePiece]) {
    switch state {
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
      if byte == 0x0A { state = .lineStart }
    case .lineStart:
      held.append(byte)
      guard prefix.starts(with: held) else {
        output += held
        held = []
        isBehindMessage = false
        state = byte == 0x0A ? .lineStart : .guestLine
        return
      }
      if held.count == prefix.count {
        held = []
        flushGuest(&pieces)
        state = .message
      }
    }
  }

  private mutating func flushGuest(_ pieces: inout [ConsolePiece]) {
    guard !output.isEmpty else { return }
    pieces.append(.guest(output))
    output = []
  }
}
