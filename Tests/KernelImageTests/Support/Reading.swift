// Reading made-up files in tests, and damaging them.

@testable import KernelImage

/// Reads bytes as the command reads a file.
func readImage(
  _ bytes: [UInt8], options: OpenOptions = OpenOptions()
) throws(ImageError) -> KernelImage {
  try KernelImage.read(bytes: ImageBytes(copying: bytes), path: "made-up", options: options)
}

/// The error that reading gives, if any.
func readingError(_ bytes: [UInt8], options: OpenOptions = OpenOptions()) -> ImageError? {
  do {
    _ = try readImage(bytes, options: options)
    return nil
  } catch {
    return error
  }
}

/// Touches everything of an image that the audit would; answers a sum so that it must happen.
func exercise(_ image: KernelImage) -> UInt64 {
  var sum: UInt64 = 0
  let index = SymbolIndex(image)
  for section in image.sections {
    sum &+= UInt64(section.bytes.buffer.first ?? 0) &+ UInt64(section.bytes.buffer.last ?? 0)
    sum &+= UInt64(image.relocationTargets(section: section.index).count)
    sum &+= UInt64(index.functionStarts(section: section.index).count)
    let (end, _) = section.address.addingReportingOverflow(section.size)
    for address in [section.address, section.address &+ 1, end &- 1, end] {
      let match = index.function(at: ImageAddress(section: section.index, address: address))
      sum &+= match?.offset ?? 0
    }
  }
  return sum &+ UInt64(image.symbols.count)
}

/// A small generator whose row is the same on every run.
struct Dice {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 2 &+ 1 }

  mutating func roll(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return limit > 0 ? Int((state >> 33) % UInt64(limit)) : 0
  }
}

/// A copy with one to four fields damaged: bits flipped, or set to values that hurt.
func damage(_ bytes: [UInt8], within range: Range<Int>, dice: inout Dice) -> [UInt8] {
  var bytes = bytes
  let values: [UInt64] = [0, .max, 1 << 63, 1 << 31, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 1]
  for _ in 0...dice.roll(below: 4) {
    let position = range.lowerBound + dice.roll(below: range.count)
    guard dice.roll(below: 2) == 0 else {
      bytes[position] ^= 1 << UInt8(dice.roll(below: 8))
      continue
    }
    let value = values[dice.roll(below: values.count)]
    for byte in 0..<(1 << dice.roll(below: 4)) where position + byte < bytes.count {
      bytes[position + byte] = UInt8(truncatingIfNeeded: value >> UInt64(byte * 8))
    }
  }
  return bytes
}
