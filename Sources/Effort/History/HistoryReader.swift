// Reads the differences of each commit's tree from the one before, and keeps which pairs of blobs
// they amount to.

/// A blob, and a name that tells its language.
struct BlobKey: Hashable, Sendable {
  var object: String
  var name: String

  init(object: String, path: String) {
    self.object = object
    name = path.split(separator: "/").last.map(String.init) ?? path
  }
}

/// A blob of the port and what it came from.
struct BlobPair: Hashable, Sendable {
  var old: BlobKey?
  var new: BlobKey
}

/// The steps of a history.
struct HistoryReader {
  /// A path whose pair changes.
  struct Step {
    var path: String
    var old: BlobPair?
    var new: BlobPair?
  }

  /// The steps of each commit.
  private(set) var steps: [[Step]]
  /// Every pair that occurs, once.
  private(set) var pairs: [BlobPair] = []

  private let base: [String: TreeEntry]
  private let map: EffortMap
  private var known: Set<BlobPair> = []
  private var current: [String: BlobPair] = [:]
  private var commit = -1
  private var object: String?
  private var expectsPath = false

  init(base: [TreeEntry], map: EffortMap, commits: Int) {
    self.base = Dictionary(base.map { ($0.path, $0) }) { first, _ in first }
    self.map = map
    steps = Array(repeating: [], count: commits)
  }

  /// Takes a record: trees on a line of their own before the first, then `:mode mode old new S`, then a path.
  mutating func take(_ record: ArraySlice<UInt8>) {
    if expectsPath {
      expectsPath = false
      change(TreeEntry(rawPath: Array(record), kind: .file).path)
      return
    }
    var record = record
    while let end = record.firstIndex(of: 0x0A) {
      commit += 1
      record = record[(end + 1)...]
    }
    let fields = record.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
    guard fields.count == 5 else { return }
    expectsPath = true
    object = fields[1].hasPrefix("100") ? fields[3] : nil
  }

  private mutating func change(_ path: String) {
    guard steps.indices.contains(commit) else { return }
    let old = current[path]
    let new = object.flatMap { pair(path, $0) }
    guard old != new else { return }
    current[path] = new
    if let new, known.insert(new).inserted { pairs.append(new) }
    steps[commit].append(Step(path: path, old: old, new: new))
  }

  /// The pair of a path's blob; `nil` where it is the base's own.
  private func pair(_ path: String, _ object: String) -> BlobPair? {
    let mapped = map.basePath(of: path).flatMap { base[$0] }
    let source = [mapped, base[path]].compactMap { $0 }.first { $0.kind == .file }
    if source?.object == object { return nil }
    return BlobPair(
      old: source.flatMap { entry in entry.object.map { BlobKey(object: $0, path: entry.path) } },
      new: BlobKey(object: object, path: path))
  }
}
