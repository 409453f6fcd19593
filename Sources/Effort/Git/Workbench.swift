// A bare repository of our own, which borrows the objects of the user's. What is compared here is
// compared without the user's attributes, configuration and paths: a pair of files stands in two
// trees under one number.

import Foundation

/// Where files are compared.
struct Workbench: Sendable {
  let git: Git
  private let folder: URL

  /// Makes the repository in `folder`, which exists and is the caller's to remove.
  init(in folder: URL, borrowing repository: Git?) async throws(EffortError) {
    self.folder = folder
    let bare = folder.appending(path: "git")
    var format = "sha1"
    var objects: String?
    if let repository {
      format = try await repository.text(["rev-parse", "--show-object-format"])
      objects = try await repository.text([
        "rev-parse", "--path-format=absolute", "--git-path", "objects",
      ])
    }
    _ = try await Git().bytes([
      "init", "-q", "--bare", "--template=", "--object-format=\(format)", bare.path,
    ])
    git = Git(folder: bare.path)
    guard let objects else { return }
    guard !objects.utf8.contains(0x0A), !objects.hasPrefix("\"") else {
      throw .input(
        subject: objects, expected: "a repository whose path git can borrow from",
        found: "a quote or a line's end in its name")
    }
    try write(
      Array((objects + "\n").utf8), to: bare.appending(path: "objects/info/alternates"))
  }

  private func write(_ bytes: [UInt8], to file: URL) throws(EffortError) {
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: file)
    } catch {
      throw .input(subject: file.path, expected: "a file that can be written", found: "\(error)")
    }
  }

  /// Gives files of a folder to git and returns their names, in order.
  func names(
    of entries: [TreeEntry], in root: String, stores: Bool
  ) async throws(EffortError) -> [String] {
    guard !entries.isEmpty else { return [] }
    var input: [UInt8] = []
    for (number, entry) in entries.enumerated() {
      var path = FolderTree.absolute(root, entry).dropLast().map { UInt8(bitPattern: $0) }
      // git reads one path from each line, so a name with a line's end needs another name.
      if path.contains(0x0A) { path = try link(path, number) }
      input += path + [0x0A]
    }
    let text = try await git.text(
      ["hash-object"] + (stores ? ["-w"] : []) + ["--no-filters", "--stdin-paths"], input: input)
    let names = text.split(separator: "\n").map(String.init)
    guard names.count == entries.count else {
      throw .git(
        command: "hash-object", message: "\(entries.count) names expected, \(names.count) found")
    }
    return names
  }

  private func link(_ path: [UInt8], _ number: Int) throws(EffortError) -> [UInt8] {
    let link = folder.appending(path: "link-\(UUID().uuidString)-\(number)").path
    let target = path.map { CChar(bitPattern: $0) } + [0]
    guard symlink(target, link) == 0 else { throw FolderTree.unreadable(target) }
    return Array(link.utf8)
  }

  /// Writes a tree with one blob under each number, and returns its name.
  func tree(_ blobs: [(name: String, object: String)]) async throws(EffortError) -> String {
    var input: [UInt8] = []
    for blob in blobs {
      input += Array("100644 blob \(blob.object)\t\(blob.name)".utf8) + [0]
    }
    return try await git.text(["mktree", "-z"], input: input)
  }

  /// The name of a number: all of one length, so that git's order is that of the numbers.
  static func name(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 9 - digits.utf8.count)) + digits
  }
}
