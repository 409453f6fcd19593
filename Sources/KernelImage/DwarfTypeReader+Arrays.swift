// Sizes of arrays where libdw has none: it asks the unit's language for the lowest index, and a
// partial unit, as dwz makes them, names no language. In C that index is 0.

import CElfutils

extension DwarfTypeReader {
  /// The size of the array type `die` in bytes; `nil` where it is no array or has no known length.
  static func arraySize(_ die: inout Dwarf_Die) -> Int? {
    guard dwarf_tag(&die) == DW_TAG_array_type, var size = elementSize(&die) else { return nil }
    var child = Dwarf_Die()
    guard dwarf_child(&die, &child) == 0 else { return nil }
    var dimensions = 0
    repeat {
      guard dwarf_tag(&child) == DW_TAG_subrange_type else { continue }
      guard let count = count(&child) else { return nil }
      let (product, overflow) = size.multipliedReportingOverflow(by: count)
      guard !overflow, dimensions < 16 else { return nil }
      size = product
      dimensions += 1
    } while advance(&child)
    return dimensions > 0 ? size : nil
  }

  private static func elementSize(_ die: inout Dwarf_Die) -> Int? {
    var attribute = Dwarf_Attribute()
    var type = Dwarf_Die()
    var bare = Dwarf_Die()
    var size: Dwarf_Word = 0
    guard dwarf_attr(&die, UInt32(DW_AT_type), &attribute) != nil,
      dwarf_formref_die(&attribute, &type) != nil, dwarf_peel_type(&type, &bare) == 0,
      dwarf_aggregate_size(&bare, &size) == 0
    else { return nil }
    return Int(exactly: size)
  }

  /// The elements of one dimension.
  private static func count(_ die: inout Dwarf_Die) -> Int? {
    var attribute = Dwarf_Attribute()
    var value: Dwarf_Word = 0
    if dwarf_attr(&die, UInt32(DW_AT_count), &attribute) != nil,
      dwarf_formudata(&attribute, &value) == 0
    {
      return Int(exactly: value)
    }
    guard dwarf_attr(&die, UInt32(DW_AT_upper_bound), &attribute) != nil,
      dwarf_formudata(&attribute, &value) == 0, let bound = Int(exactly: value), bound < .max
    else { return nil }
    return bound + 1
  }
}
