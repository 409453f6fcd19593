// The way from two names to a report: list, pair, compare, place, add up.

public import Foundation

/// What is to be counted.
public struct EffortRequest: Sendable {
  /// A folder or a revision each.
  public var base: String
  public var port: String
  /// The repository of revisions; `nil` for the current folder's.
  public var repository: String?
  /// The map, and what the report calls it.
  public var map = EffortMap.builtIn
  public var mapName = "built in"
  /// An empty folder for git's objects, which the caller removes.
  public var scratch: URL
  public var jobs = 2

  public init(base: String, port: String, scratch: URL) {
    self.base = base
    self.port = port
    self.scratch = scratch
  }
}

/// Counts one port.
public struct EffortCounter: Sendable {
  let request: EffortRequest
  let version: String
  /// The user's repository.
  let repository: Git
  let bench: Workbench
  let base: TreeContents
  let port: TreeContents
  /// The map with what was guessed.
  var map: EffortMap
  var guesses: [String] = []

  /// Reads both trees, and guesses what a built-in map leaves open.
  public init(_ request: EffortRequest) async throws(EffortError) {
    self.request = request
    version = try await Git.version()
    repository = await Git.ofUser(folder: request.repository)
    let base = try await TreeSide.resolve(request.base, option: "--base", git: repository)
    let port = try await TreeSide.resolve(request.port, option: "--port", git: repository)
    let needsRepository = !base.isFolder || !port.isFolder
    bench = try await Workbench(
      in: request.scratch, borrowing: needsRepository ? repository : nil)
    self.base = try await TreeContents(base, bench.git)
    self.port = try await TreeContents(port, bench.git)
    map = request.map
    if map.isBuiltIn { try await guess() }
  }

  /// Counts everything.
  public func report() async throws(EffortError) -> EffortReport {
    var pairing = Pairing(base: base.entries, port: port.entries, map: map)
    var comparison = FileComparison(bench: bench, base: base, port: port, map: map)
    try await comparison.compare(&pairing)
    let denominator = base.entries.filter {
      $0.kind == .file && map.isInDenominator($0.path)
    }
    let lines = try await base.sum(denominator, jobs: request.jobs) { entry, bytes in
      guard let bytes, !TextFacts.isBinary(bytes) else { return .zero }
      return TextFacts.counts(bytes, path: entry.path)
    }
    var listed = comparison.listed
    listed.symlink = pairing.symlinks
    listed.submodule = pairing.submodules
    listed.other = pairing.others
    return EffortReport(
      gitVersion: version, base: base.side.record, port: port.side.record,
      baseName: base.side.name, portName: port.side.name, mapName: request.mapName,
      paths: map.paths, guesses: guesses, sections: sections(comparison.files),
      files: comparison.files, baseLines: lines, baseFiles: denominator.count,
      include: map.include.map(\.text), exclude: map.exclude.map(\.text), listed: listed)
  }

  /// The rows: those of the paper, then the map's in its order, then what no rule took.
  private func sections(_ files: [EffortReport.File]) -> [EffortReport.Section] {
    var rows: [EffortReport.Section] = []
    func add(_ name: String, counted: Bool) {
      guard !rows.contains(where: { $0.name == name }) else { return }
      rows.append(.init(name: name, isCounted: counted, files: 0, changes: .zero))
    }
    for name in EffortMap.paperSections {
      add(name, counted: map.sections.first { $0.name == name }?.isCounted ?? true)
    }
    if map.isBuiltIn {
      for name in EffortMap.otherSections { add(name, counted: false) }
    }
    for rule in map.sections { add(rule.name, counted: rule.isCounted) }
    if files.contains(where: { $0.section == EffortMap.unplaced }) {
      add(EffortMap.unplaced, counted: false)
    }
    let places = Dictionary(rows.enumerated().map { ($1.name, $0) }) { first, _ in first }
    for file in files {
      guard let place = places[file.section] else { continue }
      rows[place].files += 1
      rows[place].changes += file.changes
    }
    return rows
  }

  /// Finds clones, and leaves other architectures than theirs out of the base.
  private mutating func guess() async throws(EffortError) {
    let clones = try await CloneGuess(base: base, port: port).clones(map: map)
    for clone in clones {
      map.paths.append(clone.pair)
      guesses.append(
        "\(clone.pair.port) was cloned from \(clone.pair.base): "
          + "\(clone.similarity) % of its lines stand there")
    }
    let all = Set(base.entries.compactMap { Self.architecture($0.path) })
    // `arch/xen` may be a clone of `arch` with one architecture in it, so single files tell.
    let originals = Set(base.entries.map(\.path))
    let cloned = Set(
      port.entries.compactMap { map.basePath(of: $0.path) }
        .filter(originals.contains).compactMap(Self.architecture))
    guard !cloned.isEmpty, all.count > cloned.count else { return }
    for name in all.subtracting(cloned).sorted() {
      map.exclude += ["arch/\(name)/**", "include/asm-\(name)/**"].compactMap(Glob.init)
    }
    guesses.append(
      "the base has one architecture of \(all.count): \(cloned.sorted().joined(separator: ", "))")
  }

  /// The name after `arch/`.
  private static func architecture(_ path: String) -> String? {
    let parts = path.split(separator: "/", maxSplits: 2)
    // `arch/Kconfig` is a file of all of them.
    let isArchitecture = parts.count > 1 && parts[0] == "arch" && !parts[1].hasPrefix("Kconfig")
    return isArchitecture ? String(parts[1]) : nil
  }
}
