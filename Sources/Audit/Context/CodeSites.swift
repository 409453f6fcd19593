// The smaller tables: places in the code that the kernel patches or expects to fault. Each parser
// gives the sites, sorted for lookup, and the number of entries that it could not believe.

import KernelImage

/// Sites named by one table.
struct CodeSites: Sendable {
  let count: Int
  let ignored: Int
  private let index: RangeIndex

  /// The tables of one image taken together; most images have one or none.
  init(merging tables: [CodeSites]) {
    if tables.count == 1 {
      self = tables[0]
    } else {
      self.init(
        sites: tables.flatMap(\.index.items), ignored: tables.reduce(0) { $0 + $1.ignored })
    }
  }

  init(sites: [RangeIndex.Item], ignored: Int) {
    count = sites.count
    self.ignored = ignored
    index = RangeIndex(sites)
  }

  /// Whether the bytes at `address` touch a site.
  func touches(section: Int, address: UInt64, length: Int) -> Bool {
    index.touches(section: section, address: address, length: length)
  }

  /// Whether a site begins at `place`.
  func begins(at place: ImageAddress) -> Bool { index.begins(at: place) }

  /// Reads every entry of `stride` bytes with `parse`, which gives `nil` for a bad one.
  init(
    table: PatchTable, stride: Int, parse: (Int) -> (place: ImageAddress, length: UInt8)?
  ) {
    let count = table.entries(stride: stride)
    var sites: [RangeIndex.Item] = []
    sites.reserveCapacity(count)
    for entry in 0..<count {
      guard let site = parse(entry * stride) else { continue }
      sites.append(.init(start: site.place, length: site.length, value: entry))
    }
    let rest = table.bytes.count.isMultiple(of: stride) ? 0 : 1
    self.init(sites: sites, ignored: count - sites.count + rest)
  }

  /// The better of two readings of the same table: the one that believes the larger share.
  fileprivate static func better(_ first: CodeSites, _ second: CodeSites) -> CodeSites {
    let firstAll = first.count + first.ignored
    let secondAll = second.count + second.ignored
    guard firstAll > 0, secondAll > 0 else { return firstAll > 0 ? first : second }
    return second.count * firstAll > first.count * secondAll ? second : first
  }
}

extension CodeSites {
  /// `.parainstructions`: pointer, u8 operation, u8 length, padded to the pointer's size.
  static func paravirt(_ table: PatchTable, width: CodeWidth) -> CodeSites {
    let pointer = width == .bits64 ? 8 : 4
    return CodeSites(table: table, stride: pointer * 2) { offset in
      guard let place = table.pointer(at: offset, width: width),
        let length = table.bytes.load(offset + pointer + 1, as: UInt8.self), length > 0,
        table.isCode(place, length: Int(length))
      else { return nil }
      return (place, length)
    }
  }

  /// `__jump_table`: s32 code, s32 target, s64 key; in older kernels three pointers.
  static func jumpLabels(
    _ table: PatchTable, width: CodeWidth, code: (ImageAddress) -> UInt8?
  ) -> CodeSites {
    func site(_ place: ImageAddress?, _ target: ImageAddress?)
      -> (place: ImageAddress, length: UInt8)?
    {
      guard let place, let target, table.isCode(target, length: 1) else { return nil }
      // A short jump and its no-operation have two bytes, the others five.
      let first = code(place)
      let length: UInt8 = first == 0xeb || first == 0x66 ? 2 : 5
      return table.isCode(place, length: Int(length)) ? (place, length) : nil
    }
    let pointer = width == .bits64 ? 8 : 4
    let relative = CodeSites(table: table, stride: 8 + pointer) { offset in
      site(table.relative32(at: offset), table.relative32(at: offset + 4))
    }
    let absolute = CodeSites(table: table, stride: 3 * pointer) { offset in
      site(
        table.pointer(at: offset, width: width),
        table.pointer(at: offset + pointer, width: width))
    }
    return better(relative, absolute)
  }

  /// `.static_call_sites`: s32 site, s32 key with two flag bits.
  static func staticCalls(_ table: PatchTable, code: (ImageAddress) -> UInt8?) -> CodeSites {
    CodeSites(table: table, stride: 8) { offset in
      guard let place = table.relative32(at: offset) else { return nil }
      // A conditional tail call has six bytes, a call or jump five.
      let length: UInt8 = code(place) == 0x0f ? 6 : 5
      return table.isCode(place, length: Int(length)) ? (place, length) : nil
    }
  }
}
