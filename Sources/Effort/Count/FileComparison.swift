// Compares the pairs of two trees: leaves out what is equal, lists what is no text, counts the rest.

/// The comparison of every pair.
struct FileComparison {
  let bench: Workbench
  let base: TreeContents
  let port: TreeContents
  let map: EffortMap
  private(set) var files: [EffortReport.File] = []
  private(set) var listed = EffortReport.Listed()

  init(
    bench: Workbench, base: TreeContents, port: TreeContents, map: EffortMap
  ) {
    self.bench = bench
    self.base = base
    self.port = port
    self.map = map
  }

  /// Compares; renames move from `added` and `removed`.
  mutating func compare(_ pairing: inout Pairing) async throws(EffortError) {
    var changed = try await ContentCheck(bench: bench, base: base, port: port).changed(
      pairing.matched)
    try await name(&changed)
    try await name(&pairing.added)
    try await name(&pairing.removed)
    changed += try await RenameFinder(bench: bench).find(in: &pairing)
    changed += pairing.added + pairing.removed
    changed.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    let olds = try await texts(changed.map(\.base), base)
    let news = try await texts(changed.map(\.port), port)
    var subjects: [PairDiff.Subject] = []
    var numbers: [Int] = []
    for (index, pair) in changed.enumerated() {
      guard let old = pair.base?.object, let new = pair.port?.object, old != new,
        !olds[index].isBinary, !news[index].isBinary
      else { continue }
      numbers.append(index)
      subjects.append(
        .init(old: old, new: new, oldLines: olds[index].classes, newLines: news[index].classes))
    }
    let outcomes = Dictionary(
      uniqueKeysWithValues: zip(
        numbers, try await PairDiff(bench: bench).changes(of: subjects)))
    for (index, pair) in changed.enumerated() {
      var changes: PerWhitespace<ChangeCounts>?
      if olds[index].isBinary || news[index].isBinary {
        changes = nil
      } else if let outcome = outcomes[index] {
        changes = outcome
      } else {
        // One side alone, or a rename without a change.
        let isSame = pair.base != nil && pair.port != nil
        let whole =
          isSame
          ? .zero : ChangeCounts(old: olds[index].classes.counts, new: news[index].classes.counts)
        changes = PerWhitespace(ignore: whole, strict: whole)
      }
      add(
        pair, changes, isGenerated: (pair.port == nil ? olds : news)[index].isGenerated)
    }
  }

  private mutating func add(
    _ pair: FilePair, _ changes: PerWhitespace<ChangeCounts>?, isGenerated: Bool
  ) {
    guard let changes else {
      listed.binary.append(pair.path)
      return
    }
    var place = map.place(pair.path)
    if map.isBuiltIn, isGenerated, place.section != "excluded" {
      place = .init(
        section: "excluded", isCounted: false, why: "its first lines say that it is generated",
        isCatchAll: false)
    }
    if place.section == "excluded" { listed.excluded.append(pair.path) }
    if place.isCatchAll { listed.catchAll.append(pair.path) }
    files.append(
      .init(
        path: pair.path, basePath: pair.base?.path, status: pair.status, section: place.section,
        why: place.why, language: Language(path: pair.path), changes: changes))
  }

  /// Gives files of folders to git, except for those that are larger than any text.
  private func name(_ pairs: inout [FilePair]) async throws(EffortError) {
    for (side, path) in [(base, \FilePair.base), (port, \FilePair.port)] {
      guard case .folder(_, let root) = side.side else { continue }
      let numbers = pairs.indices.filter {
        pairs[$0][keyPath: path].map { $0.size <= TextFacts.largest } ?? false
      }
      let names = try await bench.names(
        of: numbers.compactMap { pairs[$0][keyPath: path] }, in: root, stores: true)
      for (number, name) in zip(numbers, names) { pairs[number][keyPath: path]?.object = name }
    }
  }

  private func texts(
    _ entries: [TreeEntry?], _ side: TreeContents
  ) async throws(EffortError) -> [FileText] {
    var result = [FileText](repeating: FileText(), count: entries.count)
    let numbers = entries.indices.filter { entries[$0] != nil }
    let present = numbers.compactMap { entries[$0] }
    try await side.read(present) { index, bytes in
      result[numbers[index]] = FileText(bytes, path: present[index].path)
    }
    return result
  }
}
