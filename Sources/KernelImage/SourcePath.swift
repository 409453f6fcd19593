// Paths of source files: joined from the pieces that a line table stores, and then shortened to what
// a person would type in the source tree.

/// One source file as the debugging information names it.
struct SourcePath: Sendable, Hashable {
  /// The directories of the table joined with the name, as llvm-symbolizer prints it.
  var raw: String
  /// Relative to the root of the source tree where that can be told; else like ``raw``.
  var display: String

  /// Shortens a path of a unit compiled in `directory`.
  init(raw: String, directory: String?) {
    self.raw = raw
    display = Self.shorten(raw, directory: directory)
  }

  /// How far above the compilation directory the root of the source tree may be.
  ///
  /// Builds outside the tree often run in a directory below it: Debian's kernel is compiled in
  /// `debian/build/build_amd64_none_amd64`, three levels down.
  private static let levelsToRoot = 3

  private static func shorten(_ raw: String, directory: String?) -> String {
    let path = normalize(raw)
    guard let directory, !directory.isEmpty else { return path.joined }
    let base = normalize(directory)
    guard base.isAbsolute == path.isAbsolute else { return path.joined }
    var common = 0
    while common < base.parts.count, common < path.parts.count - 1,
      base.parts[common] == path.parts[common]
    {
      common += 1
    }
    // `/usr` or `/home` in common does not make a source tree.
    let isInside = common == base.parts.count
    let isBeside = base.parts.count - common <= levelsToRoot && common >= 2
    guard common > 0, isInside || isBeside else { return path.joined }
    return path.parts[common...].joined(separator: "/")
  }

  /// A path in its parts, without `.` and with `..` resolved by name.
  private struct Parts {
    var isAbsolute: Bool
    var parts: [Substring]
    var joined: String { (isAbsolute ? "/" : "") + parts.joined(separator: "/") }
  }

  private static func normalize(_ path: String) -> Parts {
    let isAbsolute = path.utf8.first == 0x2f
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == "..", let last = parts.last, last != ".." {
        parts.removeLast()
      } else if part != ".." || !isAbsolute {
        parts.append(part)
      }
    }
    return Parts(isAbsolute: isAbsolute, parts: parts)
  }
}

extension DwarfLineTable {
  /// The path of a file of this table; `nil` for a number that names none.
  func path(
    ofFile number: UInt64, in context: DwarfUnitContext, _ reader: DwarfReader
  ) throws(ImageError) -> SourcePath? {
    // Version 5 counts from 0, the versions before it from 1.
    let first: UInt64 = version >= 5 ? 0 : 1
    guard number >= first, let index = Int(exactly: number - first), files.indices.contains(index),
      let name = try text(files[index].name, reader)
    else { return nil }
    if name.hasPrefix("/") { return SourcePath(raw: name, directory: context.directory) }
    let directory = files[index].directory
    var prefix: String?
    if version >= 5 {
      if let index = Int(exactly: directory), directories.indices.contains(index) {
        prefix = try text(directories[index], reader)
      }
    } else if directory > 0, let index = Int(exactly: directory - 1),
      directories.indices.contains(index)
    {
      prefix = try text(directories[index], reader)
    }
    var raw = name
    if let prefix, !prefix.isEmpty { raw = Self.join(prefix, raw) }
    // Directory 0 of version 5 is the compilation directory itself.
    if version < 5 || directory != 0, prefix?.hasPrefix("/") != true,
      let root = context.directory, !root.isEmpty
    {
      raw = Self.join(root, raw)
    }
    return SourcePath(raw: raw, directory: context.directory)
  }

  private static func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
  }

  private func text(_ string: DwarfLineString, _ reader: DwarfReader) throws(ImageError) -> String?
  {
    let section =
      switch string.place {
      case .lines: reader.file.lines
      case .strings: reader.file.strings
      case .lineStrings: reader.file.lineStrings
      }
    return try reader.text(in: section, at: string.offset)
  }
}
