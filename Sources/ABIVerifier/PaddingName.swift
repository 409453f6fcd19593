// Names by which headers call bytes without meaning, and members of unions that old headers lack.

import ABISchema

enum PaddingName {
  /// The last part of the path is a word for padding: `pad1`, `_pad`, `rsvd`, `reserved2`.
  static func matches(_ path: String) -> Bool {
    let last = path.split(separator: ".").last?.lowercased() ?? ""
    let bare = last.drop { $0 == "_" }
    return ["pad", "rsvd", "reserved", "unused", "dummy"].contains { bare.hasPrefix($0) }
  }
}

/// The members of a structure's unions, by path.
struct Alternatives {
  private var paths: Set<String> = []

  init(_ structure: Structure, _ layout: StructureLayout) {
    walk(structure.fields, prefix: "", isUnion: structure.kind == .union)
  }

  private mutating func walk(_ fields: [Field], prefix: String, isUnion: Bool) {
    for field in fields {
      let path = field.name.map { prefix + $0 }
      if isUnion, let path { paths.insert(path) }
      if case .members(let kind, let inner) = field.content {
        walk(inner, prefix: path.map { $0 + "." } ?? prefix, isUnion: kind == .union)
      }
    }
  }

  /// The path is, or lies inside, a member of a union that the binary does not have.
  func isMissing(_ path: String, in found: FoundPaths) -> Bool {
    var parts = path.split(separator: ".").map(String.init)
    while !parts.isEmpty {
      let prefix = parts.joined(separator: ".")
      if paths.contains(prefix), found.byPath[prefix] == nil { return true }
      parts.removeLast()
    }
    return false
  }
}
