// A binary's structure, flattened: every field by its path, and the bytes that the innermost ones cover.

import KernelImage

/// Fields of one structure in a binary.
struct FoundPaths {
  struct Place {
    var path: String
    var offset: Int
    /// `nil` where the binary does not say.
    var size: Int?
    var typeName: String?

    /// The first byte behind it.
    var end: Int {
      let (end, overflow) = offset.addingReportingOverflow(size ?? 0)
      return overflow ? .max : end
    }
  }

  private(set) var byPath: [String: Place] = [:]
  /// Fields without members, sorted by offset.
  private var leaves: [Place] = []
  private var all: [Place] = []
  private let size: Int

  /// Flattens a structure; `base` is where it begins inside a larger one that is meant.
  init(_ structure: DwarfStructure, base: Int = 0) {
    size = structure.size + base
    walk(structure.members, prefix: "", base: base, depth: 0)
    leaves.sort { ($0.offset, $0.end) < ($1.offset, $1.end) }
  }

  /// A field of this structure type begins at this offset.
  func contains(_ typeName: String, at offset: Int) -> Bool {
    all.contains { $0.typeName == typeName && $0.offset == offset }
  }

  private mutating func walk(_ members: [DwarfMember], prefix: String, base: Int, depth: Int) {
    guard depth < 16 else { return }
    for member in members {
      let (offset, overflow) = base.addingReportingOverflow(member.offset)
      guard !overflow, offset <= size else { continue }
      let path = member.name.map { prefix + $0 } ?? prefix
      let place = Place(
        path: path, offset: offset, size: member.size, typeName: member.typeName)
      all.append(place)
      if member.name != nil, byPath[path] == nil { byPath[path] = place }
      if member.members.isEmpty {
        leaves.append(place)
      } else {
        let inner = member.name == nil ? prefix : path + "."
        walk(member.members, prefix: inner, base: offset, depth: depth + 1)
      }
    }
  }

  /// No field but ones named as padding covers these bytes.
  func isPadding(_ start: Int, _ length: Int) -> Bool {
    let (end, overflow) = start.addingReportingOverflow(length)
    guard !overflow, end <= size, length > 0 else { return false }
    return leaves.allSatisfy { leaf in
      leaf.end <= start || leaf.offset >= end || PaddingName.matches(leaf.path)
    }
  }

  /// The names of the fields that together cover exactly these bytes; `nil` where none do.
  ///
  /// Bytes that no field covers are padding and may lie between them.
  func name(covering start: Int, _ length: Int) -> String? {
    let (end, overflow) = start.addingReportingOverflow(length)
    guard !overflow, end <= size else { return nil }
    if length == 0 { return leaves.first { $0.offset == start && $0.size == nil }?.path }
    var reached: [Int: String?] = [start: nil]
    var position = start
    // Every step moves forward, and there are at most `length` positions.
    while position < end {
      if let name = reached[position] {
        for leaf in leaves where leaf.offset == position && leaf.end > position {
          if leaf.end <= end, reached[leaf.end] == nil {
            reached[leaf.end] = .some(name ?? leaf.path)
          }
        }
        let isCovered = leaves.contains {
          $0.offset <= position && position < $0.end
        }
        if !isCovered, reached[position + 1] == nil { reached[position + 1] = .some(name) }
      }
      position += 1
    }
    return reached[end].flatMap { $0 }
  }
}
