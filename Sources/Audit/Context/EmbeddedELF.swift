// ELF images that an image carries as data: vDSO images, which run in ring 3, and the purgatory that
// runs between two kernels of a kexec. Their headers say which of their bytes are code.

import KernelImage

/// Finds the code of embedded ELF images.
enum EmbeddedELF {
  /// Images looked at in one file, and sections in each: far above what kernels carry.
  private static let imageLimit = 64
  private static let sectionLimit = 256

  static func regions(of image: KernelImage) -> [CodeRegion] {
    var regions: [CodeRegion] = []
    var found = 0
    for section in image.sections where section.isAllocated && !section.isExecutable {
      let view = ByteView(section.bytes)
      // Assemblers align such data to 8 bytes at least.
      var offset = Int((8 &- section.address % 8) % 8)
      while offset < view.count, found < imageLimit {
        guard view.load(UInt32.self, at: offset) == 0x464c_457f,
          let inner = parse(view.slice(offset..<view.count))
        else {
          offset += 8
          continue
        }
        found += 1
        regions += inner.code.compactMap {
          CodeRegion(
            section: section,
            offsets: (offset + $0.lowerBound)..<(offset + $0.upperBound), width: inner.width,
            origin: inner.kind)
        }
        // What is inside this image is its own affair.
        offset += (inner.length + 7) & ~7
      }
    }
    return regions
  }

  /// What one embedded image says about itself.
  struct Inner {
    var width: CodeWidth
    /// Offsets of its executable sections from its first byte.
    var code: [Range<Int>]
    /// Bytes that its headers and code span.
    var length: Int
    var kind: String
  }

  /// Reads the header and the section headers; `nil` where they are not those of x86 code.
  static func parse(_ view: ByteView) -> Inner? {
    guard let fileClass = view.load(UInt8.self, at: 4), fileClass == 1 || fileClass == 2,
      view.load(UInt8.self, at: 5) == 1, view.load(UInt8.self, at: 6) == 1,
      let type = view.load(UInt16.self, at: 16), let machine = view.load(UInt16.self, at: 18)
    else { return nil }
    let width: CodeWidth
    switch machine {
    case 3: width = .bits32
    case 62: width = .bits64
    default: return nil
    }
    let kind: String
    switch type {
    case 1: kind = "embedded ELF object"
    case 2: kind = "embedded ELF executable"
    case 3: kind = "embedded ELF shared object"
    default: return nil
    }
    let wide = fileClass == 2
    guard let table = word(view, at: wide ? 40 : 32, wide: wide),
      let stride = view.load(UInt16.self, at: wide ? 58 : 46), stride >= (wide ? 64 : 40),
      let count = view.load(UInt16.self, at: wide ? 60 : 48), count > 0, count <= sectionLimit
    else { return nil }
    let (end, overflow) = table.addingReportingOverflow(Int(stride) * Int(count))
    guard !overflow, end <= view.count else { return nil }
    var inner = Inner(width: width, code: [], length: end, kind: kind)
    for index in 0..<Int(count) {
      let header = table + index * Int(stride)
      guard let kind = view.load(UInt32.self, at: header + 4), kind != 8,
        let flags = word(view, at: header + 8, wide: wide), flags & 4 != 0,
        let offset = word(view, at: header + (wide ? 24 : 16), wide: wide),
        let size = word(view, at: header + (wide ? 32 : 20), wide: wide), size > 0
      else { continue }
      let (last, overflow) = offset.addingReportingOverflow(size)
      guard !overflow, last <= view.count else { continue }
      inner.code.append(offset..<last)
      inner.length = max(inner.length, last)
    }
    return inner
  }

  /// A 4- or 8-byte field; `nil` where it is no offset at all.
  private static func word(_ view: ByteView, at offset: Int, wide: Bool) -> Int? {
    if wide { return view.load(UInt64.self, at: offset).flatMap { Int(exactly: $0) } }
    return view.load(UInt32.self, at: offset).map(Int.init)
  }
}
