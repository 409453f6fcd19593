// Abbreviation tables: which attributes an entry has, and in which forms (DWARF 5, 7.5.3).

/// What an entry means to the search for functions.
enum DwarfRole: UInt8 {
  /// Nothing: the entry and all below it are passed over.
  case other
  /// A function, inlined or not.
  case function
  /// A block inside a function.
  case block
  /// A namespace or type, which in some languages holds functions.
  case container

  init(tag: UInt16) {
    switch tag {
    case DwarfTag.subprogram, DwarfTag.inlinedSubroutine: self = .function
    case DwarfTag.lexicalBlock, DwarfTag.tryBlock, DwarfTag.catchBlock: self = .block
    case DwarfTag.namespace, DwarfTag.module, DwarfTag.structureType, DwarfTag.classType,
      DwarfTag.unionType, DwarfTag.interfaceType:
      self = .container
    default: self = .other
    }
  }
}

/// One attribute of an abbreviation.
struct DwarfAttributeSpec {
  var name: UInt16
  var form: UInt16
  /// The value of `DW_FORM_implicit_const`.
  var constant: Int64
}

/// The shape of the entries that share a code.
struct DwarfAbbreviation {
  var tag: UInt16
  var role: DwarfRole
  var hasChildren: Bool
  /// Where its attributes are in ``DwarfAbbreviationTable/attributes``.
  var attributes: Range<Int>
  /// Bytes of all attributes, where every form has a fixed size; else -1.
  var size = 0
  /// Distance of a `DW_AT_sibling` of form ref4 from the first attribute; -1 where there is none.
  var siblingOffset = -1
}

/// A table of abbreviations, for units of one address and offset size.
final class DwarfAbbreviationTable {
  /// The most attributes of one table; the kernel's largest has some thousands.
  static let limit = 1 << 18

  private(set) var attributes: [DwarfAttributeSpec] = []
  private var entries: [DwarfAbbreviation] = []
  /// Positions by code, where the codes are not simply counted from 1.
  private var sparse: [UInt64: Int] = [:]

  /// Reads the table of a unit.
  init(of unit: DwarfUnit, in file: DwarfFile) throws(ImageError) {
    var cursor = DwarfCursor(file.abbreviations.bytes)
    cursor.seek(to: unit.abbreviations)
    var isDense = true
    while true {
      let code = cursor.uleb()
      if cursor.failed || code == 0 { break }
      if code != UInt64(entries.count) + 1, isDense {
        isDense = false
        for index in entries.indices { sparse[UInt64(index) + 1] = index }
      }
      // The first of several with one code counts.
      if !isDense, sparse[code] == nil { sparse[code] = entries.count }
      entries.append(readEntry(&cursor, unit: unit))
      guard attributes.count < Self.limit, entries.count < Self.limit else {
        throw file.malformed(
          "at most \(Self.limit) attributes in the abbreviations at offset \(unit.abbreviations)",
          "more")
      }
    }
    guard !cursor.failed else {
      throw file.malformed(
        "a whole abbreviation table at .debug_abbrev offset \(unit.abbreviations)",
        "the end of the section")
    }
  }

  /// How much there is, for the limit on all work.
  var weight: Int { attributes.count + entries.count }

  @inline(__always)
  subscript(code: UInt64) -> DwarfAbbreviation? {
    if sparse.isEmpty {
      // Code 0 wraps to a position that no table has.
      let index = Int(truncatingIfNeeded: code &- 1)
      return index >= 0 && index < entries.count ? entries[index] : nil
    }
    return sparse[code].map { entries[$0] }
  }

  private func readEntry(_ cursor: inout DwarfCursor, unit: DwarfUnit) -> DwarfAbbreviation {
    let tag = UInt16(clamping: cursor.uleb())
    let hasChildren = cursor.u8() != 0
    let first = attributes.count
    var size = 0
    var siblingOffset = -1
    while !cursor.failed, attributes.count < Self.limit {
      let name = UInt16(clamping: cursor.uleb())
      let form = UInt16(clamping: cursor.uleb())
      let constant = form == DwarfFormCode.implicitConstant ? cursor.sleb() : 0
      if name == 0, form == 0 { break }
      if name == DwarfAttribute.sibling, form == DwarfFormCode.ref4 { siblingOffset = size }
      if size >= 0 {
        size = DwarfForm.fixedSize(form, in: unit).map { size + $0 } ?? -1
      }
      attributes.append(DwarfAttributeSpec(name: name, form: form, constant: constant))
    }
    return DwarfAbbreviation(
      tag: tag, role: DwarfRole(tag: tag), hasChildren: hasChildren,
      attributes: first..<attributes.count, size: size, siblingOffset: siblingOffset)
  }
}
