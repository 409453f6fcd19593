// One side of the comparison: a revision of the repository, or a folder.

import Foundation

/// A tree to be read.
enum TreeSide: Sendable {
  /// A commit by its full hash, with what the user called it.
  case revision(name: String, commit: String)
  /// A folder, by its absolute path.
  case folder(name: String, path: String)

  /// What the report calls it: a full hash, or the folder as it was given.
  var record: String {
    switch self {
    case .revision(_, let commit): commit
    case .folder(let name, _): name
    }
  }

  var name: String {
    switch self {
    case .revision(let name, _), .folder(let name, _): name
    }
  }

  var isFolder: Bool {
    if case .folder = self { true } else { false }
  }

  /// Finds out what `name` is: a folder where there is one, otherwise a revision.
  static func resolve(
    _ name: String, option: String, git: Git
  ) async throws(EffortError) -> TreeSide {
    guard !name.isEmpty, !name.utf8.contains(0) else {
      throw .input(subject: option, expected: "a folder or a revision", found: "`\(name)`")
    }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: name, isDirectory: &isFolder)
    if exists, isFolder.boolValue {
      return .folder(name: name, path: URL(filePath: name).standardizedFileURL.path)
    }
    let repository = git.folder ?? "."
    do throws(EffortError) {
      _ = try await git.text(["rev-parse", "--git-dir"])
    } catch {
      if error == .gitMissing { throw error }
      let found = exists ? "a file" : "no such folder, and no repository in \(repository)"
      throw .input(
        subject: "\(option) \(name)", expected: "a folder, or a revision of a git repository",
        found: found + reason(error))
    }
    do throws(EffortError) {
      let commit = try await git.text([
        "rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}",
      ])
      return .revision(name: name, commit: commit)
    } catch {
      if error == .gitMissing { throw error }
      throw .input(
        subject: "\(option) \(name)", expected: "a folder, or a revision of \(repository)",
        found: "neither")
    }
  }

  /// What git says beyond "there is no repository".
  private static func reason(_ error: EffortError) -> String {
    guard case .git(_, let message) = error, !message.hasPrefix("not a git repository") else {
      return ""
    }
    return " that git reads: " + message
  }
}
