// Argument structures of 32-bit guests in the form that handlers read: the same fields, with words and
// pointers of 64 bits and the alignment of x86-64. CompatLayoutTests compares with what abi/ has.

/// The fields of a structure, from which both forms follow.
///
/// One letter for each: `l` an `unsigned long`, pointer or frame number; `q` 64 bits, which x86-32
/// aligns to 4 bytes; `w` 32 bits, `h` 16; `A` the end of a structure inside.
public struct CompatLayout {
  let fields: StaticString

  /// A structure of these fields.
  public init(_ fields: StaticString) { self.fields = fields }

  /// A field's places and sizes.
  private struct Field {
    var narrowSize = 0
    var wideSize = 0
    var narrowAlignment = 0
    var wideAlignment = 0

    init(_ letter: UInt8) {
      switch letter {
      case UInt8(ascii: "l"): (narrowSize, wideSize, narrowAlignment, wideAlignment) = (4, 8, 4, 8)
      case UInt8(ascii: "q"): (narrowSize, wideSize, narrowAlignment, wideAlignment) = (8, 8, 4, 8)
      case UInt8(ascii: "w"): (narrowSize, wideSize, narrowAlignment, wideAlignment) = (4, 4, 4, 4)
      case UInt8(ascii: "h"): (narrowSize, wideSize, narrowAlignment, wideAlignment) = (2, 2, 2, 2)
      default: (narrowSize, wideSize, narrowAlignment, wideAlignment) = (0, 0, 4, 8)
      }
    }
  }

  /// Goes through the fields: offsets and sizes in either form.
  private func walk(_ visit: (Int, Int, Int, Int) -> Void) -> (narrow: Int, wide: Int) {
    var narrow = 0
    var wide = 0
    var alignment = (1, 1)
    for index in 0..<fields.utf8CodeUnitCount {
      let field = Field(fields.utf8Start[index])
      narrow = Self.aligned(narrow, field.narrowAlignment)
      wide = Self.aligned(wide, field.wideAlignment)
      visit(narrow, field.narrowSize, wide, field.wideSize)
      narrow += field.narrowSize
      wide += field.wideSize
      alignment = (max(alignment.0, field.narrowAlignment), max(alignment.1, field.wideAlignment))
    }
    return (Self.aligned(narrow, alignment.0), Self.aligned(wide, alignment.1))
  }

  private static func aligned(_ offset: Int, _ alignment: Int) -> Int {
    (offset + alignment - 1) & ~(alignment - 1)
  }

  /// The size of either form.
  public var size: (narrow: Int, wide: Int) { walk { _, _, _, _ in } }

  /// Makes the 64-bit form; what is between its fields stays as it is.
  func widen(_ narrow: UnsafeRawPointer, to wide: UnsafeMutableRawPointer) {
    _ = walk { from, fromSize, to, toSize in
      // SAFETY: both buffers have the form's size, and no field reaches beyond it.
      for index in 0..<toSize {
        let byte =
          index < fromSize ? narrow.load(fromByteOffset: from + index, as: UInt8.self) : 0
        wide.storeBytes(of: byte, toByteOffset: to + index, as: UInt8.self)
      }
    }
  }

  /// Makes the 32-bit form; upper halves are lost.
  func narrow(_ wide: UnsafeRawPointer, to narrow: UnsafeMutableRawPointer) {
    _ = walk { to, toSize, from, _ in
      // SAFETY: as above.
      for index in 0..<toSize {
        narrow.storeBytes(
          of: wide.load(fromByteOffset: from + index, as: UInt8.self), toByteOffset: to + index,
          as: UInt8.self)
      }
    }
  }
}
