// Structures as DWARF describes them, by name. Used to compare a binary's layouts with the ABI's.
// Every number comes from a file that may be hostile: depth and counts are bounded.

import CElfutils

/// A member of a structure or union.
public struct DwarfMember: Sendable, Equatable {
  /// `nil` for a nested structure or union without a name.
  public var name: String?
  /// From the start of the structure that holds it, in bytes.
  public var offset: Int
  /// In bytes; `nil` for a flexible array, and where the type stands in a file that is not there.
  public var size: Int?
  /// The structure or union that the member is: `struct blkif_request_rw`.
  public var typeName: String?
  /// The members of its type, where that is a structure or union.
  public var members: [DwarfMember]
  public var isBitField: Bool
}

/// A structure or union.
public struct DwarfStructure: Sendable, Equatable {
  public var isUnion: Bool
  public var size: Int
  public var members: [DwarfMember]
  /// The source file that declares it, where known.
  public var declaredIn: String?
}

/// What was found in one file.
public struct DwarfTypeTable: Sendable {
  /// The code's width: 64 for x86-64, 32 for i386.
  public var width: CodeWidth
  /// The different definitions of each name: a tag (`struct start_info`) or a typedef (`start_info_t`).
  public var structures: [String: [DwarfStructure]]
}

/// Reads structures by name out of an ELF file's DWARF.
public enum DwarfTypeReader {
  /// More different definitions of one name than this are not kept.
  static let definitionLimit = 16
  static let memberLimit = 4_096
  static let depthLimit = 8

  /// The structures with these names: tags as `struct NAME` or `union NAME`, typedefs as they are.
  public static func read(path: String, names: Set<String>) throws(ImageError) -> DwarfTypeTable {
    let session = try DwarfSession(path: path)
    var table = DwarfTypeTable(width: session.width, structures: [:])
    var unit: OpaquePointer?
    var next: OpaquePointer?
    var die = Dwarf_Die()
    var units = 0
    // libdw moves forward through the section with every unit, so this ends.
    while dwarf_get_units(session.dwarf, unit, &next, nil, nil, &die, nil) == 0 {
      unit = next
      units += 1
      readUnit(&die, names, into: &table)
    }
    guard units > 0 else {
      throw ImageError(
        .unsupported, path: path, expected: "DWARF with types (compile with -g)",
        found: "no compilation unit")
    }
    return table
  }

  private static func readUnit(
    _ unit: inout Dwarf_Die, _ names: Set<String>, into table: inout DwarfTypeTable
  ) {
    var die = Dwarf_Die()
    guard dwarf_child(&unit, &die) == 0 else { return }
    repeat {
      let tag = dwarf_tag(&die)
      guard
        tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_typedef,
        let text = dwarf_diename(&die)
      else { continue }
      let bare = String(cString: text)
      let name =
        tag == DW_TAG_typedef
        ? bare : (tag == DW_TAG_union_type ? "union " : "struct ") + bare
      guard names.contains(name), var structure = structure(&die) else { continue }
      structure.declaredIn = dwarf_decl_file(&die).map { String(cString: $0) }
      var known = table.structures[name, default: []]
      if !known.contains(structure), known.count < definitionLimit {
        known.append(structure)
        table.structures[name] = known
      }
    } while advance(&die)
  }

  /// Moves to the next entry beside this one; false at the end.
  static func advance(_ die: inout Dwarf_Die) -> Bool {
    var current = die
    return dwarf_siblingof(&current, &die) == 0
  }

  /// The structure that a tag or typedef stands for; `nil` for anything else and for declarations.
  private static func structure(_ die: inout Dwarf_Die) -> DwarfStructure? {
    var type = Dwarf_Die()
    guard dwarf_peel_type(&die, &type) == 0, let isUnion = aggregate(&type),
      let size = byteSize(&type)
    else { return nil }
    var budget = memberLimit
    let members = self.members(&type, depth: 0, budget: &budget)
    return DwarfStructure(isUnion: isUnion, size: size, members: members, declaredIn: nil)
  }

  private static func aggregate(_ die: inout Dwarf_Die) -> Bool? {
    switch dwarf_tag(&die) {
    case Int32(DW_TAG_structure_type), Int32(DW_TAG_class_type): false
    case Int32(DW_TAG_union_type): true
    default: nil
    }
  }

  private static func byteSize(_ die: inout Dwarf_Die) -> Int? {
    let size = dwarf_bytesize(&die)
    return size < 0 ? nil : Int(size)
  }

  private static func members(
    _ type: inout Dwarf_Die, depth: Int, budget: inout Int
  ) -> [DwarfMember] {
    guard depth < depthLimit else { return [] }
    var found: [DwarfMember] = []
    var child = Dwarf_Die()
    guard dwarf_child(&type, &child) == 0 else { return [] }
    repeat {
      guard dwarf_tag(&child) == DW_TAG_member, budget > 0 else { continue }
      budget -= 1
      found.append(member(&child, depth: depth, budget: &budget))
    } while advance(&child)
    return found
  }

  private static func member(
    _ die: inout Dwarf_Die, depth: Int, budget: inout Int
  ) -> DwarfMember {
    var member = DwarfMember(
      name: dwarf_diename(&die).map { String(cString: $0) }, offset: offset(&die), size: nil,
      typeName: nil,
      members: [],
      isBitField: dwarf_hasattr(&die, UInt32(DW_AT_bit_size)) != 0)
    var attribute = Dwarf_Attribute()
    var type = Dwarf_Die()
    var bare = Dwarf_Die()
    guard dwarf_attr(&die, UInt32(DW_AT_type), &attribute) != nil,
      dwarf_formref_die(&attribute, &type) != nil, dwarf_peel_type(&type, &bare) == 0
    else { return member }
    var size: Dwarf_Word = 0
    if dwarf_aggregate_size(&bare, &size) == 0 {
      member.size = Int(exactly: size)
    } else {
      member.size = arraySize(&bare)
    }
    if let isUnion = aggregate(&bare) {
      member.typeName = dwarf_diename(&bare).map {
        (isUnion ? "union " : "struct ") + String(cString: $0)
      }
      member.members = members(&bare, depth: depth + 1, budget: &budget)
    }
    return member
  }

  /// The member's offset: a number, or in old DWARF an expression that adds one; 0 in unions.
  private static func offset(_ die: inout Dwarf_Die) -> Int {
    var attribute = Dwarf_Attribute()
    var value: Dwarf_Word = 0
    if dwarf_attr(&die, UInt32(DW_AT_data_member_location), &attribute) != nil {
      if dwarf_formudata(&attribute, &value) == 0 { return Int(exactly: value) ?? 0 }
      var expression: UnsafeMutablePointer<Dwarf_Op>?
      var length = 0
      if dwarf_getlocation(&attribute, &expression, &length) == 0, length == 1, let expression,
        expression.pointee.atom == UInt8(DW_OP_plus_uconst)
      {
        return Int(exactly: expression.pointee.number) ?? 0
      }
    }
    if dwarf_attr(&die, UInt32(DW_AT_data_bit_offset), &attribute) != nil,
      dwarf_formudata(&attribute, &value) == 0
    {
      return Int(exactly: value / 8) ?? 0
    }
    return 0
  }
}

/// An ELF file opened for its DWARF, relocated where it is relocatable; closed with the value.
private final class DwarfSession {
  let dwarf: OpaquePointer
  let width: CodeWidth
  private let dwfl: OpaquePointer
  private let callbacks: UnsafeMutablePointer<Dwfl_Callbacks>

  init(path: String) throws(ImageError) {
    let callbacks = UnsafeMutablePointer<Dwfl_Callbacks>.allocate(capacity: 1)
    callbacks.initialize(to: Dwfl_Callbacks())
    callbacks.pointee.find_elf = dwfl_build_id_find_elf
    callbacks.pointee.find_debuginfo = dwfl_standard_find_debuginfo
    callbacks.pointee.section_address = dwfl_offline_section_address
    guard let dwfl = dwfl_begin(callbacks) else {
      callbacks.deallocate()
      throw ImageError(
        .unreadable, path: path, expected: "libdwfl to start", found: Self.reason())
    }
    do {
      let (dwarf, width) = try Self.open(path, dwfl)
      self.dwarf = dwarf
      self.width = width
    } catch {
      dwfl_end(dwfl)
      callbacks.deallocate()
      throw error
    }
    self.dwfl = dwfl
    self.callbacks = callbacks
  }

  deinit {
    dwfl_end(dwfl)
    callbacks.deallocate()
  }

  private static func open(
    _ path: String, _ dwfl: OpaquePointer
  ) throws(ImageError) -> (OpaquePointer, CodeWidth) {
    let module = dwfl_report_offline(dwfl, path, path, -1)
    dwfl_report_end(dwfl, nil, nil)
    var bias: GElf_Addr = 0
    guard let module, let elf = dwfl_module_getelf(module, &bias) else {
      throw ImageError(
        .unreadable, path: path, expected: "an ELF file that can be read", found: reason())
    }
    var header = GElf_Ehdr()
    guard gelf_getehdr(elf, &header) != nil else {
      throw ImageError(.malformed, path: path, expected: "an ELF header", found: reason())
    }
    let width: CodeWidth
    switch Int32(header.e_machine) {
    case EM_X86_64: width = .bits64
    case EM_386: width = .bits32
    default:
      throw ImageError(
        .unsupported, path: path, expected: "code for x86-64 or i386",
        found: "ELF machine \(header.e_machine)")
    }
    guard let dwarf = dwfl_module_getdwarf(module, &bias) else {
      throw ImageError(
        .unsupported, path: path, expected: "DWARF debugging information (compile with -g)",
        found: reason())
    }
    return (dwarf, width)
  }

  private static func reason() -> String {
    dwfl_errmsg(-1).map { String(cString: $0) } ?? "no reason given"
  }
}
