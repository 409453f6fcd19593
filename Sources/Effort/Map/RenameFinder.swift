// Renames by similarity, as git finds them: among the files that are in one tree only.

/// Finds renames.
struct RenameFinder {
  /// Lines that both must share, in per cent.
  static let threshold = 50
  /// Above this many files on both sides git looks for equal files only.
  static let limit = 2_000
  static let options = ["-M\(threshold)%", "-l\(limit)"]

  let bench: Workbench

  /// Moves pairs from `added` and `removed` to the renames, which are returned.
  func find(in pairing: inout Pairing) async throws(EffortError) -> [FilePair] {
    // What has no name in git is larger than any text.
    let removed = pairing.removed.filter { $0.base?.object != nil }
    let added = pairing.added.filter { $0.port?.object != nil }
    guard !removed.isEmpty, !added.isEmpty else { return [] }
    let old = try await tree(removed.map(\.base))
    let new = try await tree(added.map(\.port))
    var reader = RecordReader(end: 0)
    var records: [String] = []
    try await bench.git.stream(
      ["diff-tree", "-r", "-z", "--raw"] + Self.options + [old, new]
    ) { piece in
      reader.feed(piece) { records.append(String(decoding: $0, as: UTF8.self)) }
    }
    var renames: [FilePair] = []
    var gone: Set<Int> = []
    var taken: Set<Int> = []
    var index = 0
    while index < records.count {
      // `:100644 100644 old new R087`, then one path, or two of a rename.
      let isRename = records[index].split(separator: " ").last?.hasPrefix("R") ?? false
      guard isRename, index + 2 < records.count else {
        index += 2
        continue
      }
      if let from = number(records[index + 1], below: removed.count),
        let to = number(records[index + 2], below: added.count),
        gone.insert(from).inserted, taken.insert(to).inserted
      {
        renames.append(
          FilePair(base: removed[from].base, port: added[to].port, status: .renamed))
      }
      index += 3
    }
    let sources = Set(gone.compactMap { removed[$0].base?.path })
    let targets = Set(taken.compactMap { added[$0].port?.path })
    pairing.removed.removeAll { sources.contains($0.path) }
    pairing.added.removeAll { targets.contains($0.path) }
    return renames
  }

  /// The number that `000000012/name` begins with.
  private func number(_ path: String, below limit: Int) -> Int? {
    guard let number = path.split(separator: "/").first.flatMap({ Int($0) }),
      (0..<limit).contains(number)
    else { return nil }
    return number
  }

  /// A tree with one folder for each file, in which it has its own name: git prefers equal names.
  private func tree(_ entries: [TreeEntry?]) async throws(EffortError) -> String {
    var input: [UInt8] = []
    for entry in entries {
      let name = entry?.path.split(separator: "/").last.map(String.init) ?? ""
      input += Array("100644 blob \(entry?.object ?? "")\t\(Self.plain(name))".utf8) + [0, 0]
    }
    let folders = try await bench.git.text(["mktree", "-z", "--batch"], input: input)
    input = []
    for (index, folder) in folders.split(separator: "\n").enumerated() {
      input += Array("040000 tree \(folder)\t\(Workbench.name(index))".utf8) + [0]
    }
    return try await bench.git.text(["mktree", "-z"], input: input)
  }

  /// The name where git takes it in any tree.
  private static func plain(_ name: String) -> String {
    let isPlain =
      !name.isEmpty && !name.hasPrefix(".") && name.utf8.count < 256
      && name.utf8.allSatisfy { isWord($0) && $0 < 0x80 || $0 == 0x2E || $0 == 0x2D }
    return isPlain ? name : "file"
  }
}
