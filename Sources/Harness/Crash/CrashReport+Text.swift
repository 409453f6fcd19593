// A crash in words: for the summary of a boot, and for the files that a failed validation leaves.

extension CrashReport {
  /// The reason, the place, the callers, the registers, a line each.
  public var lines: [String] {
    var lines = ["guest crash: \(reason)"]
    if let place { lines.append("  at \(place)") }
    lines += backtrace.map { "  called from \($0)" }
    let registers = registers.map { register in
      let digits = String(register.value, radix: 16)
      let zeros = String(repeating: "0", count: max(0, 16 - digits.utf8.count))
      return "\(register.name) \(zeros)\(digits)"
    }
    for start in stride(from: 0, to: registers.count, by: 4) {
      lines.append(
        "  " + registers[start..<min(start + 4, registers.count)].joined(separator: "  "))
    }
    return lines
  }
}

extension CodePlace: CustomStringConvertible {
  /// Address, function, file and line, as far as they are known.
  public var description: String {
    var text = "0x" + String(address, radix: 16)
    if let function {
      text += " \(function)"
      if let offset { text += "+0x" + String(offset, radix: 16) }
    }
    if let file {
      text += " (\(file)" + (line.map { ":\($0)" } ?? "") + ")"
    }
    return text
  }
}
