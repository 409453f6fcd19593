// The hypervisor's log: lines with a level on the serial console, in a form that a harness can
// tell from a guest's own output. Nothing here allocates.

/// How much a line matters; lines above the limit are not printed.
enum LogLevel: UInt8 {
  case error = 0
  case warning = 1
  case info = 2
  case debug = 3

  var name: StaticString {
    switch self {
    case .error: "error"
    case .warning: "warning"
    case .info: "info"
    case .debug: "debug"
    }
  }
}

/// The settings of the log.
enum Log {
  /// The highest level that is printed; `loglevel=` of the command line sets it.
  // SAFETY: written once, on the boot CPU, before others and guests run.
  nonisolated(unsafe) static var limit = LogLevel.info.rawValue
  // SAFETY: only ever set.
  /// The end is near: no lock counts any more, since its holder may be the one that panics.
  nonisolated(unsafe) static var isPanicking = false
}

/// Begins a line, as in `rootstock: info: …`.
///
/// Close it with `end()`: the console lock is held until then.
func log(_ level: LogLevel) -> LogLine {
  let line = LogLine(isShown: level.rawValue <= Log.limit)
  if line.isShown {
    if !Log.isPanicking { Lock.console.take() }
    Serial.breakLine()
  }
  return line.text("rootstock: ").text(level.name).text(": ")
}

/// A line under construction, written as it grows.
struct LogLine {
  let isShown: Bool

  func text(_ text: StaticString) -> LogLine {
    if isShown {
      for index in 0..<text.utf8CodeUnitCount { Serial.send(text.utf8Start[index]) }
    }
    return self
  }

  /// Bytes from elsewhere: what does not print becomes a dot.
  func bytes(_ bytes: UnsafeRawBufferPointer) -> LogLine {
    if isShown {
      for byte in bytes { Serial.send(byte >= 0x20 && byte < 0x7f ? byte : 0x2e) }
    }
    return self
  }

  func hex(_ value: some BinaryInteger) -> LogLine {
    guard isShown else { return self }
    let value = UInt64(truncatingIfNeeded: value)
    _ = text("0x")
    var shift = 60
    while shift > 0 && value >> UInt64(shift) == 0 { shift -= 4 }
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
      Serial.send(digit < 10 ? 0x30 + digit : 0x57 + digit)
      shift -= 4
    }
    return self
  }

  func decimal(_ value: some BinaryInteger) -> LogLine {
    if isShown { Serial.send(decimal: UInt64(truncatingIfNeeded: value)) }
    return self
  }

  func end() {
    if isShown {
      Serial.send(0x0d)
      Serial.send(0x0a)
      if !Log.isPanicking { Lock.console.release() }
    }
  }
}
