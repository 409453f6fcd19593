// Numbers of the DWARF standard (versions 2 to 5, chapter 7 of each) that the locator reads.

/// Tags of entries (DWARF 5, table 7.3).
enum DwarfTag {
  static let classType: UInt16 = 0x02
  static let lexicalBlock: UInt16 = 0x0b
  static let compileUnit: UInt16 = 0x11
  static let structureType: UInt16 = 0x13
  static let unionType: UInt16 = 0x17
  static let inlinedSubroutine: UInt16 = 0x1d
  static let module: UInt16 = 0x1e
  static let catchBlock: UInt16 = 0x25
  static let subprogram: UInt16 = 0x2e
  static let tryBlock: UInt16 = 0x32
  static let interfaceType: UInt16 = 0x38
  static let namespace: UInt16 = 0x39
}

/// Attributes of entries (DWARF 5, table 7.5; 0x2000 and above: vendors).
enum DwarfAttribute {
  static let sibling: UInt16 = 0x01
  static let name: UInt16 = 0x03
  static let statementList: UInt16 = 0x10
  static let lowPC: UInt16 = 0x11
  static let highPC: UInt16 = 0x12
  static let language: UInt16 = 0x13
  static let compilationDirectory: UInt16 = 0x1b
  static let abstractOrigin: UInt16 = 0x31
  static let specification: UInt16 = 0x47
  static let ranges: UInt16 = 0x55
  static let callFile: UInt16 = 0x58
  static let callLine: UInt16 = 0x59
  static let linkageName: UInt16 = 0x6e
  static let stringOffsetsBase: UInt16 = 0x72
  static let addressBase: UInt16 = 0x73
  static let rangeListsBase: UInt16 = 0x74
  static let mipsLinkageName: UInt16 = 0x2007
}

/// Forms of attributes (DWARF 5, table 7.6; 0x1f00 and above: GNU).
enum DwarfFormCode {
  static let address: UInt16 = 0x01
  static let block2: UInt16 = 0x03
  static let block4: UInt16 = 0x04
  static let data2: UInt16 = 0x05
  static let data4: UInt16 = 0x06
  static let data8: UInt16 = 0x07
  static let string: UInt16 = 0x08
  static let block: UInt16 = 0x09
  static let block1: UInt16 = 0x0a
  static let data1: UInt16 = 0x0b
  static let flag: UInt16 = 0x0c
  static let sdata: UInt16 = 0x0d
  static let strp: UInt16 = 0x0e
  static let udata: UInt16 = 0x0f
  static let refAddress: UInt16 = 0x10
  static let ref1: UInt16 = 0x11
  static let ref2: UInt16 = 0x12
  static let ref4: UInt16 = 0x13
  static let ref8: UInt16 = 0x14
  static let refULEB: UInt16 = 0x15
  static let indirect: UInt16 = 0x16
  static let sectionOffset: UInt16 = 0x17
  static let expression: UInt16 = 0x18
  static let flagPresent: UInt16 = 0x19
  static let strx: UInt16 = 0x1a
  static let addrx: UInt16 = 0x1b
  static let refSup4: UInt16 = 0x1c
  static let strpSup: UInt16 = 0x1d
  static let data16: UInt16 = 0x1e
  static let lineStrp: UInt16 = 0x1f
  static let refSignature: UInt16 = 0x20
  static let implicitConstant: UInt16 = 0x21
  static let locListX: UInt16 = 0x22
  static let rangeListX: UInt16 = 0x23
  static let refSup8: UInt16 = 0x24
  static let strx1: UInt16 = 0x25
  static let strx2: UInt16 = 0x26
  static let strx3: UInt16 = 0x27
  static let strx4: UInt16 = 0x28
  static let addrx1: UInt16 = 0x29
  static let addrx2: UInt16 = 0x2a
  static let addrx3: UInt16 = 0x2b
  static let addrx4: UInt16 = 0x2c
  static let gnuAddressIndex: UInt16 = 0x1f01
  static let gnuStringIndex: UInt16 = 0x1f02
  static let gnuRefAlternate: UInt16 = 0x1f20
  static let gnuStrpAlternate: UInt16 = 0x1f21
}

/// Whether functions of a language stand at the top of their unit and nowhere else.
///
/// True for C in all its versions and for assembly (DWARF 5, table 7.17): their types need not be
/// searched for functions.
func dwarfLanguageIsFlat(_ code: UInt64) -> Bool {
  switch code {
  case 0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x8001: true
  default: false
  }
}
