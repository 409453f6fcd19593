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
      let view = section.bytes
      // Assemblers align such data to 8 bytes at least.
      var offset = Int((8 &- section.address % 8) % 8)
      while offset < view.count, found < imageLimit {
        guard view.load(offset, as: UInt32.self) == 0x464c_457f,
          let inner = parse(view.suffix(from: offset))
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

  /// The origin of a shared object, which is a vDSO: the kernel has no other use for one.
  static let sharedObject = "embedded ELF shared object"

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
  static func parse(_ view: ImageBytes) -> Inner? {
    guard let fileClass = view.load(4, as: UInt8.self), fileClass == 1 || fileClass == 2,
      view.load(5, as: UInt8.self) == 1, view.load(6, as: UInt8.self) == 1,
      let type = view.load(16, as: UInt16.self), let machine = view.load(18, as: UInt16.self)
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
    case 3: kind = sharedObject
    default: return nil
    }
    let wide = fileClass == 2
    guard let table = word(view, at: wide ? 40 : 32, wide: wide),
      let stride = view.load(wide ? 58 : 46, as: UInt16.self), stride >= (wide ? 64 : 40),
      let count = view.load(wide ? 60 : 48, as: UInt16.self), count > 0, count <= sectionLimit
    else { return nil }
    let (end, overflow) = table.addingReportingOverflow(Int(stride) * Int(count))
    guard !overflow, end <= view.count else { return nil }
    var inner = Inner(width: width, code: [], length: end, kind: kind)
    for index in 0..<Int(count) {
      let header = table + index * Int(stride)
      guard let kind = view.load(header + 4, as: UInt32.self), kind != 8,
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
  private static func word(_ view: ImageBytes, at offset: Int, wide: Bool) -> Int? {
    if wide { return view.load(offset, as: UInt64.self).flatMap { Int(exactly: $0) } }
    return view.load(offset, as: UInt32.self).map(Int.init)
  }
}
