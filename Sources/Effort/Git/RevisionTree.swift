// The paths of a revision, as `git ls-tree` lists them.

/// Lists revisions.
enum RevisionTree {
  /// Every path of `commit`, in the order of bytes.
  static func entries(of commit: String, _ git: Git) async throws(EffortError) -> [TreeEntry] {
    var reader = RecordReader(end: 0)
    var entries: [TreeEntry] = []
    try await git.stream(["ls-tree", "-r", "-z", "-l", "--full-tree", commit]) { piece in
      reader.feed(piece) { record in
        if let entry = entry(record) { entries.append(entry) }
      }
    }
    return entries
  }

  /// `100644 blob 0123… 1234<tab>path`.
  private static func entry(_ record: ArraySlice<UInt8>) -> TreeEntry? {
    guard let tab = record.firstIndex(of: 0x09) else { return nil }
    let fields = record[..<tab].split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
    guard fields.count == 4 else { return nil }
    let kind: EntryKind =
      switch fields[0] {
      case "120000": .symlink
      case "160000": .submodule
      default: .file
      }
    return TreeEntry(
      rawPath: Array(record[(tab + 1)...]), kind: kind, object: fields[2],
      size: Int(fields[3]) ?? 0)
  }
}

/// Cuts a stream into records that end with one byte.
struct RecordReader {
  let end: UInt8
  private var rest: [UInt8] = []

  init(end: UInt8) {
    self.end = end
  }

  /// Takes a piece of the stream; `body` gets each record that is whole.
  mutating func feed(_ piece: UnsafeRawBufferPointer, _ body: (ArraySlice<UInt8>) -> Void) {
    rest.append(contentsOf: piece)
    var start = 0
    while let stop = rest[start...].firstIndex(of: end) {
      body(rest[start..<stop])
      start = stop + 1
    }
    rest.removeFirst(start)
  }
}
