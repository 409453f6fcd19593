// Guesses which folder of the base a new folder of the port was cloned from: the one that shares
// most lines among those that have files of the same names.

/// Guesses clones.
struct CloneGuess {
  /// Lines of the clone that must stand in the original, in per cent.
  static let threshold = 50
  /// Originals that are compared by contents, and files of each.
  private static let candidates = 6
  private static let samples = 40
  /// Files of one name above which the name says nothing: makefiles, say.
  private static let commonest = 500

  let base: TreeContents
  let port: TreeContents
  private let baseFiles: [String: TreeEntry]
  private let baseFolders: Set<String>
  private let byName: [String: [String]]

  init(base: TreeContents, port: TreeContents) {
    self.base = base
    self.port = port
    let files = base.entries.filter { $0.kind == .file }
    baseFiles = Dictionary(files.map { ($0.path, $0) }) { first, _ in first }
    var folders: Set<String> = [""]
    for file in files {
      var folder = Self.parent(file.path)
      while folders.insert(folder).inserted { folder = Self.parent(folder) }
    }
    baseFolders = folders
    byName = Dictionary(grouping: files.map(\.path), by: Self.name)
  }

  /// A clone that was found.
  struct Clone: Sendable {
    var pair: EffortMap.PathPair
    /// Lines that both share, in per cent of the clone's.
    var similarity: Int
    var isFile: Bool
  }

  /// Every clone, in the order of paths.
  func clones(map: EffortMap) async throws(EffortError) -> [Clone] {
    var waiting: [String: [TreeEntry]] = [:]
    var clones: [Clone] = []
    for entry in port.entries where entry.kind == .file && baseFiles[entry.path] == nil {
      if map.place(entry.path).section == "excluded" { continue }
      if let folder = newFolder(of: entry.path) {
        waiting[folder, default: []].append(entry)
      } else if let clone = try await fileClone(entry) {
        clones.append(clone)
      }
    }
    while let (folder, files) = waiting.popFirst() {
      if let clone = try await folderClone(folder, files) {
        clones.append(clone)
        continue
      }
      // Perhaps one below it is: arch/xen/i386 from arch/i386.
      for file in files {
        let rest = file.path.dropFirst(folder.count + 1)
        guard let slash = rest.firstIndex(of: "/") else { continue }
        waiting[folder + "/" + rest[..<slash], default: []].append(file)
      }
    }
    return clones.sorted { $0.pair.port < $1.pair.port }
  }

  /// The topmost folder of a path that the base lacks.
  private func newFolder(of path: String) -> String? {
    var folder = Self.parent(path)
    var found: String?
    while !baseFolders.contains(folder) {
      found = folder
      folder = Self.parent(folder)
    }
    return found
  }

  private func folderClone(
    _ folder: String, _ files: [TreeEntry]
  ) async throws(EffortError) -> Clone? {
    var common: [String: [(TreeEntry, TreeEntry)]] = [:]
    for file in files {
      let rest = String(file.path.dropFirst(folder.count))
      let originals = byName[Self.name(file.path)] ?? []
      guard originals.count <= Self.commonest else { continue }
      for path in originals where path.hasSuffix(rest) {
        guard let original = baseFiles[path] else { continue }
        common[String(path.dropLast(rest.count)), default: []].append((original, file))
      }
    }
    // One file of a common name is no evidence, unless there is no other.
    let likely = common.filter { $0.value.count >= min(2, files.count) && !$0.key.isEmpty }
    let ranked = likely.sorted {
      ($1.value.count, $0.key) < ($0.value.count, $1.key)
    }.prefix(Self.candidates)
    var best: Clone?
    for (original, pairs) in ranked {
      let similarity = try await similarity(of: Array(pairs.prefix(Self.samples)))
      if similarity >= Self.threshold, similarity > best?.similarity ?? 0 {
        best = Clone(
          pair: .init(port: folder, base: original), similarity: similarity, isFile: false)
      }
    }
    return best
  }

  /// `setup-xen.c` beside `setup.c`.
  private func fileClone(_ file: TreeEntry) async throws(EffortError) -> Clone? {
    let name = Self.name(file.path)
    for mark in ["-xen", "_xen", "xen-", "xen_"] {
      guard let range = name.firstRange(of: mark) else { continue }
      let plain = name.replacingCharacters(in: range)
      let folder = Self.parent(file.path)
      let path = folder.isEmpty ? plain : folder + "/" + plain
      guard let original = baseFiles[path] else { continue }
      let similarity = try await similarity(of: [(original, file)])
      if similarity >= Self.threshold {
        return Clone(
          pair: .init(port: file.path, base: path), similarity: similarity, isFile: true)
      }
    }
    return nil
  }

  /// How many lines of the second files stand in the first, in per cent.
  private func similarity(
    of pairs: [(base: TreeEntry, port: TreeEntry)]
  ) async throws(EffortError) -> Int {
    var originals: [Set<UInt64>] = []
    try await base.read(pairs.map(\.base)) { originals.append(Set(Self.hashes($1))) }
    var lines = 0
    var shared = 0
    try await port.read(pairs.map(\.port)) { index, bytes in
      let hashes = Self.hashes(bytes)
      lines += hashes.count
      shared += hashes.count { originals[index].contains($0) }
    }
    return lines == 0 ? 0 : shared * 100 / lines
  }

  /// A number for each line, white space apart; short lines stand everywhere and say nothing.
  private static func hashes(_ bytes: UnsafeRawBufferPointer?) -> [UInt64] {
    guard let bytes, bytes.count <= 4 << 20 else { return [] }
    var result: [UInt64] = []
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    var length = 0
    for byte in bytes {
      if byte == 0x0A {
        if length > 3 { result.append(hash) }
        hash = 0xCBF2_9CE4_8422_2325
        length = 0
      } else if !isSpace(byte) {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        length += 1
      }
    }
    if length > 3 { result.append(hash) }
    return result
  }

  private static func parent(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }

  private static func name(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }
}

extension String {
  /// Without the characters of `range`.
  fileprivate func replacingCharacters(in range: Range<String.Index>) -> String {
    String(self[..<range.lowerBound]) + self[range.upperBound...]
  }
}
