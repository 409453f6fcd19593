// Counts a history. Trees are compared one with the next, and each pair of blobs that occurs anywhere
// is compared once, so that a thousand commits cost little more than one.

extension EffortCounter {
  /// The effort at each commit; `report` is that of the last.
  public func history(_ report: EffortReport) async throws(EffortError) -> EffortHistory {
    guard case .revision(_, let first) = base.side, case .revision(_, let last) = port.side else {
      throw .input(
        subject: "--history", expected: "two revisions of a repository", found: "a folder")
    }
    let commits = try await commits(first, last)
    let rows = report.sections.filter(\.isCounted).map(\.name)
    var history = EffortHistory(
      base: report.baseName, port: report.portName, sections: rows, points: [],
      baseLines: report.baseLines)
    guard !commits.isEmpty else { return history }
    var reader = HistoryReader(
      base: base.entries, map: mapWithRenames(report), commits: commits.count)
    let root = try await bench.git.text(["rev-parse", "--verify", "\(first)^{tree}"])
    var input: [UInt8] = []
    for (old, new) in zip([root] + commits.map(\.tree), commits.map(\.tree)) {
      input += Array("\(old) \(new)\n".utf8)
    }
    var records = RecordReader(end: 0)
    try await bench.git.stream(
      ["diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames"], input: input
    ) {
      piece in
      records.feed(piece) { reader.take($0) }
    }
    let efforts = try await efforts(of: reader.pairs)
    let places = Dictionary(rows.enumerated().map { ($1, $0) }) { first, _ in first }
    var now = [PerWhitespace<ChangeCounts>](repeating: .zero, count: rows.count)
    for (commit, steps) in zip(commits, reader.steps) {
      for step in steps {
        let section = map.place(step.path).section
        guard let place = places[section] else { continue }
        if let old = step.old, let effort = efforts[old], !effort.isExcluded {
          now[place] -= effort.changes
        }
        if let new = step.new, let effort = efforts[new], !effort.isExcluded {
          now[place] += effort.changes
        }
      }
      history.points.append(
        .init(commit: commit.hash, time: commit.time, subject: commit.subject, changes: now))
    }
    return history
  }

  private struct Commit {
    var hash: String
    var tree: String
    var time: Int
    var subject: String
  }

  private func commits(_ first: String, _ last: String) async throws(EffortError) -> [Commit] {
    // The user's repository knows where a shallow clone ends.
    let text = try await repository.text([
      "rev-list", "--first-parent", "--reverse", "--format=%H %T %ct %s", "\(first)..\(last)", "--",
    ])
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      guard fields.count == 4, fields[0] != "commit" else { return nil }
      return Commit(
        hash: String(fields[0]), tree: String(fields[1]), time: Int(fields[2]) ?? 0,
        subject: String(fields[3]))
    }
  }

  /// Renames that were found at the end hold all along.
  private func mapWithRenames(_ report: EffortReport) -> EffortMap {
    var map = map
    for file in report.files where file.status == .renamed {
      if let base = file.basePath { map.paths.append(.init(port: file.path, base: base)) }
    }
    return map
  }

  /// What one pair of blobs amounts to.
  private struct Effort {
    var changes: PerWhitespace<ChangeCounts>
    /// Binary, or generated where the built-in map looks for that.
    var isExcluded: Bool
  }

  private func efforts(of pairs: [BlobPair]) async throws(EffortError) -> [BlobPair: Effort] {
    // A blob is read once for each name that its language comes from.
    var blobs: [BlobKey: Int] = [:]
    var objects: [BlobKey] = []
    for pair in pairs {
      for key in [pair.old, pair.new].compactMap({ $0 }) where blobs[key] == nil {
        blobs[key] = objects.count
        objects.append(key)
      }
    }
    var texts = [FileText](repeating: FileText(), count: objects.count)
    try await BlobReader.read(objects.map(\.object), bench.git) { index, bytes in
      texts[index] = FileText(bytes, path: objects[index].name)
    }
    func text(_ key: BlobKey?) -> FileText {
      key.flatMap { blobs[$0] }.map { texts[$0] } ?? FileText()
    }
    var result: [BlobPair: Effort] = [:]
    var compared: [BlobPair] = []
    for pair in pairs {
      let new = text(pair.new)
      let old = text(pair.old)
      let isExcluded = new.isBinary || old.isBinary || map.isBuiltIn && new.isGenerated
      if pair.old != nil, !isExcluded {
        compared.append(pair)
      } else {
        let whole = ChangeCounts(old: .zero, new: new.classes.counts)
        result[pair] = Effort(
          changes: PerWhitespace(ignore: whole, strict: whole), isExcluded: isExcluded)
      }
    }
    let outcomes = try await PairDiff(bench: bench).changes(
      of: compared.map { pair in
        .init(
          old: pair.old?.object ?? "", new: pair.new.object, oldLines: text(pair.old).classes,
          newLines: text(pair.new).classes)
      })
    for (pair, outcome) in zip(compared, outcomes) {
      result[pair] = Effort(changes: outcome ?? .zero, isExcluded: outcome == nil)
    }
    return result
  }
}
