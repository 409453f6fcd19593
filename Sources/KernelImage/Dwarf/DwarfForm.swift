// Forms: how the value of an attribute is stored (DWARF 5, 7.5.5 and 7.5.6).

/// The value of an attribute, as far as the locator needs values.
enum DwarfValue {
  case absent
  /// A number whose meaning the attribute gives, also an offset into another section.
  case number(UInt64)
  case address(UInt64)
  /// Index into .debug_addr.
  case addressIndex(UInt64)
  /// Offset of a string in .debug_info, .debug_str or .debug_line_str.
  case inlineString(Int)
  case string(UInt64)
  case lineString(UInt64)
  /// Index into .debug_str_offsets.
  case stringIndex(UInt64)
  /// Offset of another entry in .debug_info.
  case reference(Int)
  /// Index into the unit's range lists.
  case rangeListIndex(UInt64)

  /// The number, where the value is one.
  var number: UInt64? {
    if case .number(let value) = self { value } else { nil }
  }
}

enum DwarfForm {
  /// Bytes of a value in this form, `nil` where the value itself tells.
  static func fixedSize(_ form: UInt16, in unit: DwarfUnit) -> Int? {
    switch form {
    case DwarfFormCode.address: Int(unit.addressSize)
    case DwarfFormCode.flagPresent, DwarfFormCode.implicitConstant: 0
    case DwarfFormCode.data1, DwarfFormCode.ref1, DwarfFormCode.flag, DwarfFormCode.strx1,
      DwarfFormCode.addrx1:
      1
    case DwarfFormCode.data2, DwarfFormCode.ref2, DwarfFormCode.strx2, DwarfFormCode.addrx2: 2
    case DwarfFormCode.strx3, DwarfFormCode.addrx3: 3
    case DwarfFormCode.data4, DwarfFormCode.ref4, DwarfFormCode.strx4, DwarfFormCode.addrx4,
      DwarfFormCode.refSup4:
      4
    case DwarfFormCode.data8, DwarfFormCode.ref8, DwarfFormCode.refSignature,
      DwarfFormCode.refSup8:
      8
    case DwarfFormCode.data16: 16
    case DwarfFormCode.strp, DwarfFormCode.lineStrp, DwarfFormCode.sectionOffset,
      DwarfFormCode.strpSup, DwarfFormCode.gnuRefAlternate, DwarfFormCode.gnuStrpAlternate:
      unit.offsetSize
    case DwarfFormCode.refAddress: unit.version == 2 ? Int(unit.addressSize) : unit.offsetSize
    default: nil
    }
  }

  /// Passes over a value; false for a form that the standard does not have.
  @inline(__always)
  static func skip(_ form: UInt16, in unit: DwarfUnit, _ cursor: inout DwarfCursor) -> Bool {
    if let size = fixedSize(form, in: unit) {
      cursor.skip(size)
      return true
    }
    return skipVariable(form, in: unit, &cursor)
  }

  private static func skipVariable(
    _ form: UInt16, in unit: DwarfUnit, _ cursor: inout DwarfCursor
  ) -> Bool {
    switch form {
    case DwarfFormCode.string: cursor.skipString()
    case DwarfFormCode.block1: cursor.skip(Int(cursor.u8()))
    case DwarfFormCode.block2: cursor.skip(Int(cursor.u16()))
    case DwarfFormCode.block4: cursor.skip(UInt64(cursor.u32()))
    case DwarfFormCode.block, DwarfFormCode.expression: cursor.skip(cursor.uleb())
    case DwarfFormCode.sdata, DwarfFormCode.udata, DwarfFormCode.refULEB, DwarfFormCode.strx,
      DwarfFormCode.addrx, DwarfFormCode.locListX, DwarfFormCode.rangeListX,
      DwarfFormCode.gnuAddressIndex, DwarfFormCode.gnuStringIndex:
      _ = cursor.uleb()
    case DwarfFormCode.indirect:
      let actual = UInt16(clamping: cursor.uleb())
      // An indirect form may not name itself, nor one whose value is in the abbreviation.
      guard actual != DwarfFormCode.indirect, actual != DwarfFormCode.implicitConstant else {
        return false
      }
      return skip(actual, in: unit, &cursor)
    default: return false
    }
    return true
  }

  /// Reads a value; `nil` for a form that the standard does not have.
  static func read(
    _ spec: DwarfAttributeSpec, in unit: DwarfUnit, of section: DwarfSection,
    _ cursor: inout DwarfCursor
  ) -> DwarfValue? {
    let place = cursor.offset
    switch spec.form {
    case DwarfFormCode.address:
      return .address(section.resolve(cursor.unsigned(size: Int(unit.addressSize)), at: place))
    case DwarfFormCode.flagPresent: return .number(1)
    case DwarfFormCode.implicitConstant: return .number(UInt64(bitPattern: spec.constant))
    case DwarfFormCode.data1, DwarfFormCode.flag: return .number(UInt64(cursor.u8()))
    case DwarfFormCode.data2: return .number(UInt64(cursor.u16()))
    case DwarfFormCode.data4: return .number(section.resolve(UInt64(cursor.u32()), at: place))
    case DwarfFormCode.data8: return .number(section.resolve(cursor.u64(), at: place))
    case DwarfFormCode.sectionOffset:
      return .number(section.resolve(cursor.unsigned(size: unit.offsetSize), at: place))
    case DwarfFormCode.udata: return .number(cursor.uleb())
    case DwarfFormCode.sdata: return .number(UInt64(bitPattern: cursor.sleb()))
    case DwarfFormCode.string:
      cursor.skipString()
      return .inlineString(place)
    case DwarfFormCode.strp:
      return .string(section.resolve(cursor.unsigned(size: unit.offsetSize), at: place))
    case DwarfFormCode.lineStrp:
      return .lineString(section.resolve(cursor.unsigned(size: unit.offsetSize), at: place))
    case DwarfFormCode.strx, DwarfFormCode.gnuStringIndex: return .stringIndex(cursor.uleb())
    case DwarfFormCode.strx1, DwarfFormCode.strx2, DwarfFormCode.strx3, DwarfFormCode.strx4:
      return .stringIndex(cursor.unsigned(size: Int(spec.form - DwarfFormCode.strx1) + 1))
    case DwarfFormCode.addrx, DwarfFormCode.gnuAddressIndex: return .addressIndex(cursor.uleb())
    case DwarfFormCode.addrx1, DwarfFormCode.addrx2, DwarfFormCode.addrx3, DwarfFormCode.addrx4:
      return .addressIndex(cursor.unsigned(size: Int(spec.form - DwarfFormCode.addrx1) + 1))
    case DwarfFormCode.rangeListX: return .rangeListIndex(cursor.uleb())
    case DwarfFormCode.ref1: return reference(UInt64(cursor.u8()), in: unit)
    case DwarfFormCode.ref2: return reference(UInt64(cursor.u16()), in: unit)
    case DwarfFormCode.ref4: return reference(UInt64(cursor.u32()), in: unit)
    case DwarfFormCode.ref8: return reference(cursor.u64(), in: unit)
    case DwarfFormCode.refULEB: return reference(cursor.uleb(), in: unit)
    case DwarfFormCode.refAddress:
      let size = unit.version == 2 ? Int(unit.addressSize) : unit.offsetSize
      let target = section.resolve(cursor.unsigned(size: size), at: place)
      return Int(exactly: target).map { .reference($0) } ?? .absent
    case DwarfFormCode.indirect:
      let actual = UInt16(clamping: cursor.uleb())
      guard actual != DwarfFormCode.indirect, actual != DwarfFormCode.implicitConstant else {
        return nil
      }
      return read(
        DwarfAttributeSpec(name: spec.name, form: actual, constant: 0), in: unit, of: section,
        &cursor)
    default:
      return skip(spec.form, in: unit, &cursor) ? .absent : nil
    }
  }

  /// A reference inside the unit, as an offset of the section.
  private static func reference(_ relative: UInt64, in unit: DwarfUnit) -> DwarfValue {
    guard let relative = Int(exactly: relative), relative < unit.end - unit.offset else {
      return .absent
    }
    return .reference(unit.offset + relative)
  }
}
