// A terminal whose every key goes to a guest. Whatever way the command ends, the terminal is as it was.

import Foundation

/// Standard input as a terminal without lines, echo and signals.
enum RawTerminal {
  // SAFETY: written once, before the handlers that read it are set.
  private nonisolated(unsafe) static var saved = termios()
  private nonisolated(unsafe) static var isRaw = false

  /// Signals of a fault of our own; what others send is Interruption's.
  private static let deadly = [SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV]

  /// Sets the terminal; nothing where standard input is none.
  static func enter() {
    guard isatty(0) == 1, tcgetattr(0, &saved) == 0 else { return }
    var raw = saved
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
    raw.c_iflag &= ~tcflag_t(IXON | ICRNL | INLCR | IGNCR | BRKINT | ISTRIP)
    // Newlines of the guest's and of our own messages still begin a new line: output stays as it is.
    isRaw = true
    atexit { RawTerminal.leave() }
    for number in deadly {
      // Only functions that a handler may call.
      signal(number) { number in
        RawTerminal.leave()
        signal(number, SIG_DFL)
        raise(number)
      }
    }
    tcsetattr(0, TCSADRAIN, &raw)
  }

  /// Sets it back; nothing where it is not raw.
  static func leave() {
    guard isRaw else { return }
    isRaw = false
    tcsetattr(0, TCSADRAIN, &saved)
  }
}
