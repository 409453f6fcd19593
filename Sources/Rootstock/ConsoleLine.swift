// A domain's console, for domains other than domain 0: whole lines with the domain's number before
// them, so that what several print stays apart.

/// A line that a domain has begun.
struct ConsoleLine {
  private var bytes = InlineArray<240, UInt8>(repeating: 0)
  private var count = 0

  /// Adds a byte; a line that is complete, or too long, is printed.
  ///
  /// The caller holds the console lock.
  mutating func append(_ byte: UInt8, of domain: UInt16) {
    if byte == 0x0a {
      flush(domain)
    } else if byte != 0x0d {
      bytes[count] = byte
      count += 1
      if count == bytes.count { flush(domain) }
    }
  }

  /// Prints what there is, if anything.
  mutating func finish(_ domain: UInt16) {
    if count > 0 { flush(domain) }
  }

  /// What does not print becomes a dot: a guest could forge the hypervisor's lines by control
  /// characters.
  private mutating func flush(_ domain: UInt16) {
    Serial.breakLine()
    Serial.send(0x28)
    Serial.send(0x64)
    Serial.send(decimal: UInt64(domain))
    Serial.send(0x29)
    Serial.send(0x20)
    for index in 0..<count {
      let byte = bytes[index]
      Serial.send(byte >= 0x20 && byte != 0x7f || byte == 0x09 ? byte : 0x2e)
    }
    Serial.send(0x0d)
    Serial.send(0x0a)
    count = 0
  }
}
