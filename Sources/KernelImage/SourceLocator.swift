// Function, file, line and inlined frames for addresses: the public face of the DWARF readers in Dwarf/.
// Addresses are looked up in one batch, since the price of a lookup is the walk through a unit.

/// Finds the source of addresses in the DWARF of an image or of its debug file.
///
/// Versions 2 to 5 are read, packed sections and relocatable files included.
public final class SourceLocator: Sendable {
  /// The file that the debugging information was read from.
  public let path: String
  /// What could not be read and did not stop the reading.
  public let remarks: [String]
  let file: DwarfFile
  let units: [DwarfUnit]
  /// The image's section names, by which addresses find their section in a separate debug file.
  private let imageSections: [String]

  /// Opens the debugging information of an ELF file.
  ///
  /// It is looked for in `debugFile` where one is given, else in the file itself, else by build
  /// id under the debug roots, else by the file's debug link. A file without any is no error:
  /// ``hasDebugInfo`` is false then.
  ///
  /// - Parameters:
  ///   - elfPath: The image's ELF file.
  ///   - debugFile: The separate debug file that the user names.
  ///   - buildID: The image's build id in hexadecimal, where the ELF file itself does not carry it.
  ///   - debugRoots: Directories laid out like `/usr/lib/debug`, searched before it.
  ///   - sectionNames: Names by ``ImageAddress/section``; without them that is an ELF index.
  /// - Throws: ``ImageError`` where a file cannot be read, is broken, or is another image's.
  public convenience init(
    elfPath: String, debugFile: String? = nil, buildID: String? = nil, debugRoots: [String] = [],
    sectionNames: [String] = []
  ) throws(ImageError) {
    let search = DebugFileSearch(userRoots: debugRoots)
    let elf = try search.open(elfPath: elfPath, debugFile: debugFile, buildID: buildID)
    try self.init(DwarfFile(elf), imageSections: sectionNames)
  }

  /// Opens the debugging information of an image; `nil` where no file on disk could hold it.
  ///
  /// - Throws: ``ImageError`` where a file cannot be read, is broken, or is another image's.
  public convenience init?(
    image: KernelImage, debugFile: String? = nil, debugRoots: [String] = []
  ) throws(ImageError) {
    guard let path = debugFile ?? image.elfPath else {
      guard let id = image.buildID,
        let elf = DebugFileSearch(userRoots: debugRoots).open(imagePath: image.path, buildID: id)
      else { return nil }
      try self.init(DwarfFile(elf), imageSections: image.sections.map(\.name))
      return
    }
    try self.init(
      elfPath: image.elfPath ?? path, debugFile: debugFile, buildID: image.buildID,
      debugRoots: debugRoots, sectionNames: image.sections.map(\.name))
  }

  init(_ file: DwarfFile, imageSections: [String] = []) throws(ImageError) {
    self.file = file
    path = file.path
    self.imageSections = imageSections
    let found = file.hasEntries ? try DwarfUnit.all(in: file) : (units: [], unknown: 0)
    units = found.units
    remarks = Self.remarks(file, units: found.units, unknown: found.unknown)
  }

  private static func remarks(_ file: DwarfFile, units: [DwarfUnit], unknown: Int) -> [String] {
    var remarks: [String] = []
    if unknown > 0 {
      remarks.append("\(file.path): \(unknown) units are not of DWARF 2 to 5 and were not read")
    }
    let skeletons = units.count { $0.isSkeleton }
    if skeletons > 0 {
      remarks.append(
        "\(file.path): \(skeletons) units have their functions in .dwo files, which were not read")
    }
    if file.hasAlternateFile {
      remarks.append(
        "\(file.path): some names are in the file of .gnu_debugaltlink, which was not read")
    }
    return remarks
  }

  /// There is something to look addresses up in.
  public var hasDebugInfo: Bool { !units.isEmpty }

  /// Locations of addresses of a file that is not relocatable, in the order of the addresses.
  ///
  /// Where nothing is known of an address, its location has no frames. Where only the line is
  /// known, as in old assembly, its one frame has an empty function.
  ///
  /// - Throws: ``ImageError`` where the debugging information breaks the rules of DWARF.
  public func locate(_ addresses: [UInt64], jobs: Int = 1) throws(ImageError) -> [SourceLocation] {
    try locateDetailed(addresses, jobs: jobs).map { frames in
      SourceLocation(
        frames: frames.map(\.inlineFrame), definition: frames.last?.definition)
    }
  }

  /// Locations of addresses in sections, which is what a relocatable file has.
  ///
  /// - Throws: ``ImageError`` where the debugging information breaks the rules of DWARF.
  public func locate(
    _ addresses: [ImageAddress], jobs: Int = 1
  ) throws(ImageError) -> [SourceLocation] {
    try locate(laidOut(addresses), jobs: jobs)
  }

  /// Addresses as the debug file's entries have them: in a relocatable file, where it was laid out.
  func laidOut(_ addresses: [ImageAddress]) -> [UInt64] {
    guard !file.sectionBases.isEmpty else { return addresses.map(\.address) }
    let sections = debugSections()
    return addresses.map { address in
      // A section that the debug file does not have gets an address that no unit covers.
      guard let section = sections[address.section] else { return .max }
      return file.sectionBases[section] &+ address.address
    }
  }

  /// For each section of the image the debug file's section: the same name, and among sections of
  /// one name the same rank.
  private func debugSections() -> [Int: Int] {
    guard !imageSections.isEmpty else {
      return Dictionary(uniqueKeysWithValues: file.sectionNames.indices.map { ($0, $0) })
    }
    var places: [String: [Int]] = [:]
    for (index, name) in file.sectionNames.enumerated() { places[name, default: []].append(index) }
    var ranks: [String: Int] = [:]
    var result: [Int: Int] = [:]
    for (index, name) in imageSections.enumerated() {
      let rank = ranks[name, default: 0]
      ranks[name] = rank + 1
      if let known = places[name], rank < known.count { result[index] = known[rank] }
    }
    return result
  }
}
