// Which file of the port is compared with which of the base.

/// How a file of the port is related to the base.
public enum FileStatus: String, Sendable, CaseIterable {
  /// At the same path, with other contents.
  case modified
  /// At the path that the map gives.
  case cloned
  /// At another path, by similarity.
  case renamed
  /// Nowhere in the base.
  case added
  /// Nowhere in the port.
  case removed
}

/// A file of the port and what it is compared with.
struct FilePair: Sendable {
  var base: TreeEntry?
  var port: TreeEntry?
  var status: FileStatus

  /// The path that decides the section.
  var path: String { port?.path ?? base?.path ?? "" }
}

/// The pairs of two trees, before contents are looked at.
struct Pairing {
  /// Files of both sides; many have equal contents.
  var matched: [FilePair] = []
  var added: [FilePair] = []
  var removed: [FilePair] = []
  /// Links and repositories that are new or not what they were.
  var symlinks: [String] = []
  var submodules: [String] = []
  var others: [String] = []

  init(base: [TreeEntry], port: [TreeEntry], map: EffortMap) {
    let baseByPath = Dictionary(base.map { ($0.path, $0) }) { first, _ in first }
    var portFiles: Set<String> = []
    var used: Set<String> = []
    for entry in port {
      let same = baseByPath[entry.path]
      switch entry.kind {
      case .file:
        portFiles.insert(entry.path)
        let source = map.basePath(of: entry.path).flatMap { baseByPath[$0] }
        if let source, source.kind == .file {
          used.insert(source.path)
          matched.append(
            FilePair(
              base: source, port: entry,
              status: source.path == entry.path ? .modified : .cloned))
        } else if let same, same.kind == .file {
          matched.append(FilePair(base: same, port: entry, status: .modified))
        } else {
          added.append(FilePair(base: nil, port: entry, status: .added))
        }
      case .symlink:
        if same?.kind != .symlink || same?.object != entry.object { symlinks.append(entry.path) }
      case .submodule:
        if same?.kind != .submodule || same?.object != entry.object {
          submodules.append(entry.path)
        }
      case .other:
        if same?.kind != .other { others.append(entry.path) }
      }
    }
    for entry in base where entry.kind == .file {
      if !portFiles.contains(entry.path), !used.contains(entry.path) {
        removed.append(FilePair(base: entry, port: nil, status: .removed))
      }
    }
  }
}
