// Which addresses an entry covers: low_pc and high_pc, or a list of ranges in .debug_ranges
// (versions 2 to 4) or .debug_rnglists (version 5, 7.25).

/// The attributes that say which addresses an entry covers, as stored.
struct DwarfCodeSpan {
  var low = DwarfValue.absent
  var high = DwarfValue.absent
  var ranges = DwarfValue.absent

  /// The entry says nothing about addresses.
  var isAbsent: Bool {
    if case .absent = ranges, case .absent = high { true } else { false }
  }
}

extension DwarfReader {
  /// Replaces `result` by the ranges of an entry, each not empty.
  func readRanges(
    _ span: DwarfCodeSpan, in context: DwarfUnitContext, into result: inout [Range<UInt64>]
  ) throws(ImageError) {
    result.removeAll(keepingCapacity: true)
    if let low = address(span.low, in: context) {
      let high: UInt64?
      if case .number(let length) = span.high {
        let (end, overflow) = low.addingReportingOverflow(length)
        high = overflow ? nil : end
      } else {
        high = address(span.high, in: context)
      }
      if let high {
        if low < high { result.append(low..<high) }
        return
      }
    }
    switch span.ranges {
    case .number(let offset):
      if context.unit.version >= 5 {
        try readRangeList(at: offset, in: context, into: &result)
      } else {
        try readOldRanges(at: offset, in: context, into: &result)
      }
    case .rangeListIndex(let index):
      let width = context.unit.offsetSize
      let base = context.rangeListsBase ?? (context.unit.isWide ? 20 : 12)
      guard let place = Self.position(index, of: width, from: base) else { return }
      var cursor = DwarfCursor(file.rangeLists.bytes, at: place)
      let (offset, overflow) = base.addingReportingOverflow(cursor.unsigned(size: width))
      guard !cursor.failed, !overflow else { throw badRanges(at: UInt64(place)) }
      try readRangeList(at: offset, in: context, into: &result)
    default: return
    }
  }

  /// A list of .debug_ranges: pairs of addresses, ended by two zeros.
  private func readOldRanges(
    at offset: UInt64, in context: DwarfUnitContext, into result: inout [Range<UInt64>]
  ) throws(ImageError) {
    var cursor = DwarfCursor(file.ranges.bytes)
    cursor.seek(to: offset)
    let width = Int(context.unit.addressSize)
    let baseMark: UInt64 = width == 8 ? .max : 0xffff_ffff
    var base = context.lowPC
    while !cursor.failed {
      try charge(1)
      let first = cursor.offset
      let rawLow = cursor.unsigned(size: width)
      let second = cursor.offset
      let rawHigh = cursor.unsigned(size: width)
      if rawLow == baseMark {
        base = file.ranges.resolve(rawHigh, at: second)
        continue
      }
      let low = file.ranges.resolve(rawLow, at: first)
      let high = file.ranges.resolve(rawHigh, at: second)
      if low == 0, high == 0 { break }
      Self.append(base &+ low, base &+ high, to: &result)
    }
    guard !cursor.failed else { throw badRanges(at: offset) }
  }

  /// A list of .debug_rnglists.
  private func readRangeList(
    at offset: UInt64, in context: DwarfUnitContext, into result: inout [Range<UInt64>]
  ) throws(ImageError) {
    let section = file.rangeLists
    var cursor = DwarfCursor(section.bytes)
    cursor.seek(to: offset)
    let width = Int(context.unit.addressSize)
    var base = context.lowPC
    func plain() -> UInt64 {
      let place = cursor.offset
      return section.resolve(cursor.unsigned(size: width), at: place)
    }
    func indexed() -> UInt64 { address(.addressIndex(cursor.uleb()), in: context) ?? 0 }
    while !cursor.failed {
      try charge(1)
      switch cursor.u8() {
      case 0:  // end_of_list
        if cursor.failed { throw badRanges(at: offset) }
        return
      case 1: base = indexed()  // base_addressx
      case 2:  // startx_endx
        let low = indexed()
        Self.append(low, indexed(), to: &result)
      case 3:  // startx_length
        let low = indexed()
        Self.append(low, low &+ cursor.uleb(), to: &result)
      case 4:  // offset_pair
        let low = base &+ cursor.uleb()
        Self.append(low, base &+ cursor.uleb(), to: &result)
      case 5: base = plain()  // base_address
      case 6:  // start_end
        let low = plain()
        Self.append(low, plain(), to: &result)
      case 7:  // start_length
        let low = plain()
        Self.append(low, low &+ cursor.uleb(), to: &result)
      default: throw badRanges(at: offset)
      }
    }
    throw badRanges(at: offset)
  }

  private static func append(_ low: UInt64, _ high: UInt64, to result: inout [Range<UInt64>]) {
    if low < high { result.append(low..<high) }
  }

  private func badRanges(at offset: UInt64) -> ImageError {
    file.malformed("a range list that ends, at offset \(offset)", "one that does not")
  }
}
