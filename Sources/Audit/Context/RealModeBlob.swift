// Linux's real-mode blob: the code that other processors and a wake-up from sleep begin in. It is
// linked on its own, from offset 0, and kept as data.
//
//     0           u32 text_start, u32 ro_end, u32 trampoline_start, …   the blob's header
//     text_start  16-bit code
//                 32-bit code     from the target of the 16-bit code's far jump
//                 64-bit code     from the target of the 32-bit code's far jump to another selector
//     ro_end      data, and at the very end the signature 0x65a22c82

import KernelImage

/// Finds and divides the real-mode blob.
enum RealModeBlob {
  /// No blob is believed to be larger than the memory that real mode reaches.
  private static let limit = 1 << 20
  private static let signature: UInt32 = 0x65a2_2c82
  private static let page = 4_096
  /// Pages that look like the header are searched for the signature this often.
  private static let attempts = 32

  static func regions(of image: KernelImage, symbols: MarkerSymbols) -> [CodeRegion] {
    guard let found = locate(in: image, symbols: symbols),
      let parts = divide(found.bytes)
    else { return [] }
    let section = image.sections[found.section]
    return parts.compactMap { part in
      let lower = found.offset + part.range.lowerBound
      let offsets = lower..<(lower + part.range.count)
      return CodeRegion(
        section: section, offsets: offsets, width: part.width, origin: "real-mode blob")
    }
  }

  /// By symbols where there are any, else by the signature.
  private static func locate(in image: KernelImage, symbols: MarkerSymbols)
    -> (section: Int, offset: Int, bytes: ImageBytes)?
  {
    if let marked = symbols.range(from: "real_mode_blob", to: "real_mode_blob_end", in: image),
      marked.offsets.count <= limit
    {
      let bytes = image.sections[marked.section].bytes.slice(
        UInt64(marked.offsets.lowerBound), count: UInt64(marked.offsets.count))
      return bytes.map { (marked.section, marked.offsets.lowerBound, $0) }
    }
    var attempts = 0
    for section in image.sections where section.isAllocated && !section.isExecutable {
      let all = section.bytes
      // The blob is aligned to a page in memory, whatever the section's own alignment.
      var offset = Int((UInt64(page) &- section.address % UInt64(page)) % UInt64(page))
      while offset < all.count {
        if attempts < Self.attempts, header(all.suffix(from: offset)) != nil {
          attempts += 1
          if let end = signatureEnd(all.suffix(from: offset)),
            let blob = all.slice(UInt64(offset), count: UInt64(end)), header(blob) != nil
          {
            return (section.index, offset, blob)
          }
        }
        offset += page
      }
    }
    return nil
  }

  /// The bounds of the code, where the first fields of the header make sense.
  private static func header(_ view: ImageBytes) -> (text: Int, end: Int)? {
    guard let text = view.load(0, as: UInt32.self), let end = view.load(4, as: UInt32.self),
      let trampoline = view.load(8, as: UInt32.self),
      text > 0, text.isMultiple(of: UInt32(page)), end > text, Int(end) <= view.count,
      trampoline >= text, trampoline < end
    else { return nil }
    return (Int(text), Int(end))
  }

  private static func signatureEnd(_ view: ImageBytes) -> Int? {
    var offset = 0
    // A blob is a few pages; a page that merely looks like a header is given up soon.
    let end = min(view.count, 256 * 1_024)
    while offset + 4 <= end {
      if view.load(offset, as: UInt32.self) == signature { return offset + 4 }
      offset += 4
    }
    return nil
  }

  /// The blob's code by width.
  static func divide(_ view: ImageBytes) -> [(range: Range<Int>, width: CodeWidth)]? {
    guard let bounds = header(view) else { return nil }
    let text = bounds.text..<bounds.end
    guard
      let wide = farTarget(view, from: text.lowerBound, in: text, operandSize: true, not: nil)
    else { return [(text, .bits16)] }
    var parts = [(text.lowerBound..<wide.offset, CodeWidth.bits16)]
    let long = farTarget(
      view, from: wide.offset, in: text, operandSize: false, not: wide.selector)
    if let long {
      parts.append((wide.offset..<long.offset, .bits32))
      parts.append((long.offset..<text.upperBound, .bits64))
    } else {
      parts.append((wide.offset..<text.upperBound, .bits32))
    }
    return parts
  }

  /// The lowest place that a direct far jump with a 32-bit offset leads to.
  ///
  /// The jump must stand between `start` and its target, and its selector must be plausible: an entry
  /// of the blob's own small descriptor table, at privilege level 0.
  private static func farTarget(
    _ view: ImageBytes, from start: Int, in text: Range<Int>, operandSize: Bool,
    not selector: UInt16?
  ) -> (offset: Int, selector: UInt16)? {
    var best: (offset: Int, selector: UInt16)?
    for offset in start..<text.upperBound where view.load(offset, as: UInt8.self) == 0xea {
      let prefixed = offset > start && view.load(offset - 1, as: UInt8.self) == 0x66
      guard prefixed == operandSize, let target = view.load(offset + 1, as: UInt32.self),
        let chosen = view.load(offset + 5, as: UInt16.self)
      else { continue }
      guard chosen > 0, chosen < 0x80, chosen.isMultiple(of: 8), chosen != selector,
        Int(target) > offset, Int(target) < text.upperBound
      else { continue }
      if Int(target) < best?.offset ?? Int.max { best = (Int(target), chosen) }
    }
    return best
  }
}
