// Where debugging information is that was split off its image: named by the user, found by build id
// below a debug root, or by the name in .gnu_debuglink (GDB manual, "Separate Debug Files").

import CCompression
import CElfutils
import Glibc

/// Looks for the ELF file with an image's debugging information.
struct DebugFileSearch {
  /// Directories laid out like `/usr/lib/debug`.
  private let roots: [String]

  /// The user's roots come before the system's.
  init(userRoots: [String]) {
    roots = userRoots + ["/usr/lib/debug"]
  }

  /// The file with the debugging information, or the image itself where there is none.
  func open(
    elfPath: String, debugFile: String?, buildID: String?
  ) throws(ImageError) -> DwarfElf {
    if let debugFile {
      let debug = try DwarfElf(path: debugFile)
      var known = buildID
      if known == nil, elfPath != debugFile { known = try DwarfElf(path: elfPath).buildID() }
      if let known, let found = debug.buildID(), known != found {
        throw .unsupported(
          debugFile, "debugging information of the image with build id \(known)",
          "build id \(found)")
      }
      return debug
    }
    let image = try DwarfElf(path: elfPath)
    if image.hasDebugInfo { return image }
    let known = buildID ?? image.buildID()
    if let known, let found = file(withBuildID: known) { return found }
    if let found = try file(linkedFrom: image, buildID: known) { return found }
    return known.flatMap { file(mirroring: image.path, buildID: $0) } ?? image
  }

  /// The debug file of an image that is in no ELF file on disk, such as a bzImage's kernel.
  func open(imagePath: String, buildID: String) -> DwarfElf? {
    file(withBuildID: buildID) ?? file(mirroring: imagePath, buildID: buildID)
  }

  /// `<root>/.build-id/xx/yyyy.debug`; a file there that is not what it should be is passed over.
  private func file(withBuildID id: String) -> DwarfElf? {
    guard id.utf8.count > 2,
      id.utf8.allSatisfy({
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
          || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
      })
    else { return nil }
    for root in roots {
      let path = "\(root)/.build-id/\(id.prefix(2))/\(id.dropFirst(2)).debug"
      if let elf = try? DwarfElf(path: path), elf.hasDebugInfo, elf.buildID() ?? id == id {
        return elf
      }
    }
    return nil
  }

  private func file(linkedFrom image: DwarfElf, buildID: String?) throws(ImageError) -> DwarfElf? {
    guard let link = try image.debugLink() else { return nil }
    let full = Self.absolute(image.path)
    let directory = String(full[..<(full.lastIndex(of: "/") ?? full.startIndex)])
    let places =
      ["\(directory)/\(link.name)", "\(directory)/.debug/\(link.name)"]
      + roots.map { "\($0)\(directory)/\(link.name)" }
    for path in places where path != full {
      guard let elf = try? DwarfElf(path: path), elf.hasDebugInfo else { continue }
      // Build ids tell more than the checksum, and need not read the whole file.
      if let buildID, let found = elf.buildID() {
        if buildID == found { return elf }
      } else if elf.checksum() == link.checksum {
        return elf
      }
    }
    return nil
  }

  /// A file below a root that stands where the image stands in its own tree, as Debian keeps its
  /// modules: `<root>/lib/modules/…/x.ko` for `/any/where/lib/modules/…/x.ko`, and
  /// `<root>/boot/vmlinux-…` for `/any/where/boot/vmlinuz-…`.
  private func file(mirroring path: String, buildID: String) -> DwarfElf? {
    let parts = Self.absolute(path).split(separator: "/").suffix(32)
    for root in roots {
      for start in parts.indices {
        let place = "\(root)/\(parts[start...].joined(separator: "/"))"
        let unpacked = place.replacing("/vmlinuz", with: "/vmlinux")
        for name in unpacked == place ? [place, place + ".debug"] : [unpacked] {
          if let elf = try? DwarfElf(path: name), elf.hasDebugInfo, elf.buildID() == buildID {
            return elf
          }
        }
      }
    }
    return nil
  }

  private static func absolute(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

extension DwarfElf {
  /// The file has entries of its own.
  var hasDebugInfo: Bool {
    section(named: ".debug_info") != nil || section(named: ".zdebug_info") != nil
  }

  /// The GNU build id in lowercase hexadecimal, out of the file's notes.
  func buildID() -> String? {
    // A note is at least 12 bytes; the limit stops many headers that name the same bytes.
    var budget = bytes.count
    for section in sections where section.type == UInt32(SHT_NOTE) {
      guard let notes = bytes.slice(section.offset, count: section.size), notes.count <= budget
      else { continue }
      budget -= notes.count
      let note = ElfNote.all(in: notes).first { note in
        note.owner == "GNU" && note.type == UInt32(NT_GNU_BUILD_ID)
          && (1...64).contains(note.description.count)
      }
      if let note { return hexadecimalDigits(note.description.buffer) }
    }
    return nil
  }

  /// What .gnu_debuglink names: a file without directory, and that file's checksum.
  func debugLink() throws(ImageError) -> (name: String, checksum: UInt32)? {
    guard let index = section(named: ".gnu_debuglink") else { return nil }
    let bytes = try storedBytes(of: index)
    var cursor = DwarfCursor(bytes)
    cursor.skipString()
    let end = cursor.offset - 1
    cursor.seek(to: (end + 4) & ~3)
    let checksum = cursor.u32()
    guard !cursor.failed, end > 0 else { return nil }
    let name = String(decoding: bytes[..<end], as: UTF8.self)
    // A name with a directory in it would lead out of the places that are searched.
    return name.utf8.contains(0x2f) ? nil : (name, checksum)
  }

  /// The checksum that a debug link carries: CRC-32 of the whole file.
  func checksum() -> UInt32 {
    var sum: uLong = 0
    var rest = bytes.buffer[...]
    while !rest.isEmpty {
      let part = rest.prefix(1 << 24)
      let buffer = UnsafeRawBufferPointer(rebasing: part)
      // SAFETY: zlib reads `part.count` bytes, which `part` has.
      sum = crc32(sum, buffer.baseAddress?.assumingMemoryBound(to: Bytef.self), uInt(part.count))
      rest = rest.dropFirst(part.count)
    }
    return UInt32(truncatingIfNeeded: sum)
  }
}
