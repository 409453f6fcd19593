// Function, file, line and inlined frames for addresses: the public face of the DWARF readers in Dwarf/.
// Addresses are looked up in one batch, since the price of a lookup is the walk through a unit.

import Dispatch
import Synchronization

/// Finds the source of addresses in the DWARF of an image or of its debug file.
///
/// Versions 2 to 5 are read, packed sections and relocatable files included.
public final class SourceLocator: Sendable {
  /// The file that the debugging information was read from.
  public let path: String
  /// What could not be read and did not stop the reading.
  public let remarks: [String]
  private let file: DwarfFile
  private let units: [DwarfUnit]
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

  /// ``locate(_:jobs:)`` with the paths as stored.
  func locateDetailed(_ addresses: [UInt64], jobs: Int) throws(ImageError) -> [[SourceFrame]] {
    guard hasDebugInfo, !addresses.isEmpty else {
      return Array(repeating: [], count: addresses.count)
    }
    let order = addresses.indices.sorted { (addresses[$0], $0) < (addresses[$1], $1) }
    let sorted = order.map { addresses[$0] }
    let reader = DwarfReader(file, units: units)
    var index = try DwarfUnitIndex(reader)
    let groups = try index.group(sorted, reader).map { group in
      UnitWork(
        unit: group.unit, positions: group.positions, addresses: group.positions.map { sorted[$0] })
    }
    var result: [[SourceFrame]] = Array(repeating: [], count: addresses.count)
    let names = file.symbols.names(of: sorted)
    for located in try run(shares(of: groups, count: jobs)) {
      for (position, frames) in located {
        var frames = frames
        if var outermost = frames.popLast() {
          outermost.definition = outermost.function
          outermost.function = names[position] ?? outermost.function
          frames.append(outermost)
        }
        result[order[position]] = frames
      }
    }
    return result
  }

  /// Where the code of each unit begins.
  func unitBeginnings() throws(ImageError) -> [UInt64] {
    let reader = DwarfReader(file, units: units)
    var index = try DwarfUnitIndex(reader)
    // An address that no unit covers makes the index ask all units.
    _ = try index.group([.max], reader)
    return index.beginnings
  }

  /// The addresses of one unit, and their positions among all.
  private struct UnitWork: Sendable {
    var unit: Int
    var positions: [Int]
    var addresses: [UInt64]
  }

  private typealias Located = [(position: Int, frames: [SourceFrame])]

  /// Cuts the work into runs of units of about the same number of bytes.
  private func shares(of groups: [UnitWork], count: Int) -> [ArraySlice<UnitWork>] {
    let count = max(1, min(count, groups.count, 256))
    let sizes = groups.map { units[$0.unit].end - units[$0.unit].offset }
    let total = sizes.reduce(0, +)
    var shares: [ArraySlice<UnitWork>] = []
    var start = 0
    var done = 0
    for (index, size) in sizes.enumerated() {
      done += size
      if done * count >= total * (shares.count + 1) || index == sizes.count - 1 {
        shares.append(groups[start...index])
        start = index + 1
      }
    }
    return shares
  }

  /// Works on each share in a thread of its own; the first share's error is thrown.
  private func run(_ shares: [ArraySlice<UnitWork>]) throws(ImageError) -> [Located] {
    let results = Mutex<[Int: Result<Located, ImageError>]>([:])
    DispatchQueue.concurrentPerform(iterations: shares.count) { index in
      let outcome = Result { () throws(ImageError) in try work(on: shares[index]) }
      results.withLock { $0[index] = outcome }
    }
    let outcomes = results.withLock { $0 }
    var all: [Located] = []
    for index in shares.indices {
      if let outcome = outcomes[index] { all.append(try outcome.get()) }
    }
    return all
  }

  private func work(on share: ArraySlice<UnitWork>) throws(ImageError) -> Located {
    let reader = DwarfReader(file, units: units)
    var located: Located = []
    for work in share {
      let frames = try reader.frames(of: work.addresses, inUnit: work.unit)
      located += zip(work.positions, frames).map { ($0, $1) }
    }
    return located
  }
}
