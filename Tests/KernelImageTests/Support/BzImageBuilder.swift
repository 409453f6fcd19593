// bzImages for the tests: a setup part of two sectors and a payload.

struct BzImageBuilder {
  var version: UInt16 = 0x20f
  var setupSectors: UInt8 = 1
  /// `XLF_KERNEL_64`.
  var loadFlags: UInt16 = 1
  var payload: [UInt8]
  /// What the header says, where that is not the truth.
  var statedOffset: UInt32?
  var statedSize: UInt32?

  func build() -> [UInt8] {
    let before = 0x200
    var file = ByteWriter()
    file.pad(toCount: (Int(setupSectors) + 1) * 512)
    file.set(setupSectors, at: 0x1f1)
    file.set(UInt16(0xaa55), at: 0x1fe)
    file.set(UInt32(0x5372_6448), at: 0x202)
    file.set(version, at: 0x206)
    file.set(UInt32(0x10_0000), at: 0x214)
    file.set(loadFlags, at: 0x236)
    file.set(statedOffset ?? UInt32(before), at: 0x248)
    file.set(statedSize ?? UInt32(payload.count), at: 0x24c)
    file.put([UInt8](repeating: 0x90, count: before))
    file.put(payload)
    return file.bytes
  }
}
