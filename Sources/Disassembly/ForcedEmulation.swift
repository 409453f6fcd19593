// Xen's forced-emulation prefix: `ud2` and the letters "xen" ask the hypervisor to emulate the
// instruction behind them (public/arch-x86/xen.h, XEN_EMULATE_PREFIX).

/// The prefix by which a PV guest asks for emulation.
public enum ForcedEmulation {
  /// `0f 0b 78 65 6e`.
  public static let prefix: [UInt8] = [0x0F, 0x0B, 0x78, 0x65, 0x6E]
  /// Its size in bytes.
  public static let length = 5

  /// Whether the prefix stands at `offset` with at least one byte behind it.
  public static func isPrefix(_ code: UnsafeRawBufferPointer, at offset: Int) -> Bool {
    guard offset >= 0, code.count - offset > length else { return false }
    return code[offset..<offset + length].elementsEqual(prefix)
  }
}
