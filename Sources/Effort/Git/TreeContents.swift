// The bytes of a side's files, whichever kind of side it is.

import Foundation

/// One side, listed.
struct TreeContents: Sendable {
  let side: TreeSide
  let git: Git
  var entries: [TreeEntry]

  /// Lists `side`; `git` has the objects.
  init(_ side: TreeSide, _ git: Git) async throws(EffortError) {
    self.side = side
    self.git = git
    entries =
      switch side {
      case .revision(_, let commit): try await RevisionTree.entries(of: commit, git)
      case .folder(_, let path): try FolderTree.entries(of: path)
      }
  }

  /// Reads files, in order; `body` gets `nil` for what is larger than any text.
  func read(
    _ entries: [TreeEntry], _ body: (Int, UnsafeRawBufferPointer?) -> Void
  ) async throws(EffortError) {
    switch side {
    case .revision:
      try await BlobReader.read(entries.map { $0.object ?? "" }, git, body)
    case .folder(_, let root):
      let reader = FileReader()
      for (index, entry) in entries.enumerated() {
        try reader.read(FolderTree.absolute(root, entry)) { body(index, $0) }
      }
    }
  }

  /// Calls `body` for every file, on as many threads as `jobs`, and adds up what it returns.
  func sum(
    _ entries: [TreeEntry], jobs: Int,
    _ body: @escaping @Sendable (TreeEntry, UnsafeRawBufferPointer?) -> LineCounts
  ) async throws(EffortError) -> LineCounts {
    // Neighbours are about equally large; dealing them out in turn makes shares that are, too.
    // More processes of git would cost memory and gain nothing.
    let jobs = min(jobs, 8)
    let shares = (0..<jobs).map { first in
      stride(from: first, to: entries.count, by: jobs).map { entries[$0] }
    }
    do {
      return try await withThrowingTaskGroup(of: LineCounts.self) { group in
        for share in shares where !share.isEmpty {
          group.addTask {
            var counts = LineCounts.zero
            try await read(share) { index, bytes in counts += body(share[index], bytes) }
            return counts
          }
        }
        var total = LineCounts.zero
        for try await counts in group { total += counts }
        return total
      }
    } catch let error as EffortError {
      throw error
    } catch {
      throw .git(command: "cat-file", message: "\(error)")
    }
  }
}
