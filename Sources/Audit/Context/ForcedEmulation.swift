// Xen's forced-emulation prefix: `ud2` followed by the letters "xen" tells the hypervisor to
// emulate the instruction after them. A disassembler reads the letters as `js` and `outsb`.

/// Recognizes the forced-emulation prefix.
public enum ForcedEmulation {
  /// The bytes of the prefix: `ud2; .ascii "xen"`.
  public static let prefix: [UInt8] = [0x0f, 0x0b, 0x78, 0x65, 0x6e]

  /// The prefix's length where it stands at `offset` with an instruction's first byte after it, else 0.
  ///
  /// Any offset is allowed.
  public static func prefixLength(in code: UnsafeRawBufferPointer, at offset: Int) -> Int {
    guard offset >= 0, offset < code.count, code.count - offset > prefix.count else { return 0 }
    for (index, byte) in prefix.enumerated() where code[offset + index] != byte { return 0 }
    return prefix.count
  }
}
