// Colours of the text report. With colours off every style is the text itself.

import Audit

/// A way to print text at a terminal.
enum TextStyle {
  case heading
  case faint
  case need(PortingNeed)

  /// `text` in this style, or plain where colours are off.
  func apply(_ text: String, color: Bool) -> String {
    guard color else { return text }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }

  private var code: String {
    switch self {
    case .heading: "1"
    case .faint: "2"
    case .need(.replace): "31"
    case .need(.silent): "35"
    case .need(.emulated): "33"
    case .need(.nothing): "2"
    }
  }
}
