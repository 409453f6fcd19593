// Text on the hypervisor's console, line by line. No heap is needed, so that it works at the start
// of day and in a crash.

internal import CXenABI

/// The console of last resort: console_io.
public enum Console {
  // SAFETY: one vcpu, and nothing runs in the upcall.
  nonisolated(unsafe) private static var line = InlineArray<1280, UInt8>(repeating: 0)
  nonisolated(unsafe) private static var count = 0

  /// Adds a byte; a newline or a full line goes out.
  public static func put(_ byte: UInt8) {
    line[count] = byte
    count += 1
    if byte == 0x0a || count == line.count { flush() }
  }

  /// What was typed, at most so many bytes; none where nothing waits.
  public static func read(_ limit: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = bytes.withUnsafeMutableBytes { buffer in
      // SAFETY: the call writes at most `limit` bytes, which is the buffer's size.
      HYPERVISOR_console_io(
        UInt32(CONSOLEIO_read), UInt32(limit),
        buffer.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self))
    }
    bytes.removeLast(limit - max(0, min(limit, Int(count))))
    return bytes
  }

  private static func flush() {
    let length = UInt32(count)
    count = 0
    withUnsafeMutableBytes(of: &line) { bytes in
      // SAFETY: the call reads `length` bytes, which is at most the buffer's size.
      _ = HYPERVISOR_console_io(
        UInt32(CONSOLEIO_write), length,
        bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self))
    }
  }
}

/// A line that is being written: `say("disk ").decimal(3).end()`.
public struct ConsoleLine {
  fileprivate init() {}

  /// Adds text.
  @discardableResult public func text(_ text: StaticString) -> ConsoleLine {
    for index in 0..<text.utf8CodeUnitCount { Console.put(text.utf8Start[index]) }
    return self
  }

  /// Adds bytes as they are, except that control characters become dots.
  @discardableResult public func bytes(_ bytes: [UInt8]) -> ConsoleLine {
    for byte in bytes { Console.put(byte < 0x20 || byte > 0x7e ? 0x2e : byte) }
    return self
  }

  /// Adds a number.
  @discardableResult public func decimal(_ value: some BinaryInteger) -> ConsoleLine {
    let number = UInt64(truncatingIfNeeded: value)
    var divisor: UInt64 = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      Console.put(0x30 + UInt8(truncatingIfNeeded: number / divisor % 10))
      divisor /= 10
    }
    return self
  }

  /// Adds a number in hexadecimal, with so many digits at least.
  @discardableResult public func hex(
    _ value: some BinaryInteger, digits: Int = 1
  ) -> ConsoleLine {
    let number = UInt64(truncatingIfNeeded: value)
    var shift = 60
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift) & 15)
      if shift < digits * 4 || number >> UInt64(shift) != 0 {
        Console.put(digit + (digit < 10 ? 0x30 : 0x57))
      }
      shift -= 4
    }
    return self
  }

  /// Ends the line.
  public func end() { Console.put(0x0a) }
}

/// Begins a line with the guest's name.
public func say(_ text: StaticString) -> ConsoleLine {
  ConsoleLine().text("controldomain: ").text(text)
}

/// What `print` of the standard library calls.
@c(putchar)
public func putCharacter(_ character: Int32) -> Int32 {
  Console.put(UInt8(truncatingIfNeeded: character))
  return character
}
