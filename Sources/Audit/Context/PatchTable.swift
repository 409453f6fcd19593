// One table of code addresses inside an image, with the three ways in which such tables write an
// address: relative to the field itself, absolute, or (in a relocatable file) as a relocation.

import KernelImage

/// A table's bytes and how to read the addresses in them.
struct PatchTable: Sendable {
  /// The section that holds the table.
  let section: Int
  /// Address of the table's first byte.
  let address: UInt64
  let bytes: ImageBytes
  /// Offset of the table's first byte in its section.
  private let start: Int
  private let map: AddressMap
  /// Where each relocated field of the section points, by offset in the section; `nil` in a linked image.
  private let relocations: [UInt64: ImageAddress]?

  /// No table is read past this many entries: ten times the largest kernel's, and a bound on hostile ones.
  static let entryLimit = 1 << 20

  init(
    section: ImageSection, range: Range<Int>? = nil, map: AddressMap,
    relocations: [UInt64: ImageAddress]?
  ) {
    self.section = section.index
    let range = (range ?? 0..<section.bytes.count).clamped(to: 0..<section.bytes.count)
    bytes = section.bytes.slice(UInt64(range.lowerBound), count: UInt64(range.count)) ?? .empty
    start = range.lowerBound
    address = section.address &+ UInt64(range.lowerBound)
    self.map = map
    self.relocations = relocations
  }

  /// The number of whole entries of `stride` bytes that are read.
  func entries(stride: Int) -> Int { min(bytes.count / stride, Self.entryLimit) }

  /// The target of a signed 32-bit field that counts from its own address.
  func relative32(at offset: Int) -> ImageAddress? {
    if relocations != nil { return relocated(offset) }
    guard let distance = bytes.load(offset, as: Int32.self) else { return nil }
    return map.locate(address &+ UInt64(offset) &+ UInt64(bitPattern: Int64(distance)))
  }

  /// The target of a signed 64-bit field that counts from its own address.
  func relative64(at offset: Int) -> ImageAddress? {
    if relocations != nil { return relocated(offset) }
    guard let distance = bytes.load(offset, as: Int64.self) else { return nil }
    return map.locate(address &+ UInt64(offset) &+ UInt64(bitPattern: distance))
  }

  /// The target of a pointer of the image's own size.
  func pointer(at offset: Int, width: CodeWidth) -> ImageAddress? {
    if relocations != nil { return relocated(offset) }
    if width == .bits64 {
      return bytes.load(offset, as: UInt64.self).flatMap { map.locate($0) }
    }
    return bytes.load(offset, as: UInt32.self).flatMap { map.locate(UInt64($0)) }
  }

  /// Whether `length` bytes from `place` are code.
  func isCode(_ place: ImageAddress, length: Int) -> Bool {
    map.isCode(place, length: UInt64(max(length, 1)))
  }

  private func relocated(_ offset: Int) -> ImageAddress? {
    relocations?[UInt64(start + offset)]
  }
}
