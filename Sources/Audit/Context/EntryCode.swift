// Code that begins in another width because a loader enters it so: the PVH note's 32-bit entry in
// a 64-bit kernel, multiboot's. The image says where it begins; where it ends has to be worked out.

import KernelImage

/// The code behind each ``CodeEntry``.
enum EntryCode {
  /// No entry code is searched for its end further than this.
  private static let limit = 64 * 1_024

  static func regions(of image: KernelImage) -> [CodeRegion] {
    guard !image.isRelocatable else { return [] }
    let map = AddressMap(sections: image.sections)
    return image.entries.prefix(16).compactMap { entry in
      guard entry.width != image.width, let place = map.locate(entry.address) else { return nil }
      let section = image.sections[place.section]
      guard let start = Int(exactly: entry.address - section.address) else { return nil }
      var end = min(section.bytes.count, start.addingReportingOverflow(limit).partialValue)
      if let next = nextFunction(after: place, in: image),
        let offset = Int(exactly: next - section.address)
      {
        end = min(end, offset)
      }
      guard start < end,
        let window = section.bytes.slice(UInt64(start), count: UInt64(end - start))
      else { return nil }
      let length = modeSwitch(window, address: entry.address, width: entry.width)
      var region = CodeRegion(
        section: section, offsets: start..<(start + (length ?? window.count)),
        width: entry.width, origin: entry.origin)
      region?.endIsKnown = length != nil
      return region
    }
  }

  /// The first function symbol beyond `place` in its section.
  private static func nextFunction(after place: ImageAddress, in image: KernelImage) -> UInt64? {
    let symbols = image.symbols
    var next: UInt64?
    for index in symbols.indices
    where symbols[index].section == place.section && symbols[index].kind == .function
      && symbols[index].address > place.address && symbols[index].address < next ?? UInt64.max
    {
      next = symbols[index].address
    }
    return next
  }

  /// Bytes up to and with the far jump that loads another code segment and goes on behind itself.
  ///
  /// Its operand is a physical address, so only the bits below the kernel's 2 MiB alignment are
  /// compared with the address of the next instruction.
  private static func modeSwitch(_ code: ImageBytes, address: UInt64, width: CodeWidth) -> Int? {
    guard width == .bits32 else { return nil }
    for offset in 0..<code.count where code.load(offset, as: UInt8.self) == 0xea {
      guard let target = code.load(offset + 1, as: UInt32.self),
        code.load(offset + 5, as: UInt16.self) != nil
      else { return nil }
      let next = address &+ UInt64(offset + 7)
      if UInt64(target) & 0x1f_ffff == next & 0x1f_ffff { return offset + 7 }
    }
    return nil
  }
}
