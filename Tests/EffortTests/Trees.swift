// Small trees, written as folders and as two commits, and counted in every combination of the two.

import Foundation
import Testing

@testable import Effort

/// What a test puts at a path.
enum Content: ExpressibleByStringLiteral {
  case text(String)
  case bytes([UInt8])
  case link(String)
  /// A repository of its own, with one commit.
  case repository
  case pipe

  init(stringLiteral text: String) {
    self = .text(text)
  }
}

/// Paths and what stands there.
typealias Tree = [String: Content]

/// A folder that goes away with its owner.
final class Workplace {
  let url: URL
  private var runs = 0

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "effort-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  /// Writes `tree` into a folder of this name, in the place of what was there.
  @discardableResult func write(_ tree: Tree, to name: String) throws -> String {
    let root = url.appending(path: name)
    for old in (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    where old != ".git" {
      try FileManager.default.removeItem(at: root.appending(path: old))
    }
    for (path, content) in tree {
      let file = root.path + "/" + path
      let folder = file.split(separator: "/").dropLast().joined(separator: "/")
      try FileManager.default.createDirectory(
        atPath: "/" + folder, withIntermediateDirectories: true)
      switch content {
      case .text(let text): try Data(text.utf8).write(to: URL(filePath: file))
      case .bytes(let bytes): try Data(bytes).write(to: URL(filePath: file))
      case .link(let target): #expect(symlink(target, file) == 0)
      case .pipe: #expect(mkfifo(file, 0o600) == 0)
      case .repository:
        try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: true)
        try git(["init", "-q"], in: file)
        try git(["commit", "-q", "--allow-empty", "-m", "inner"], in: file)
      }
    }
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    return root.path
  }

  /// Commits `tree` in the repository `repo` and returns the commit's hash.
  func commit(_ tree: Tree, message: String = "a commit") throws -> String {
    let root = url.appending(path: "repo").path
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    if !FileManager.default.fileExists(atPath: root + "/.git") {
      try git(["init", "-q"], in: root)
    }
    try write(tree, to: "repo")
    try git(["add", "-A", "-f"], in: root)
    try git(["commit", "-q", "--allow-empty", "-m", message], in: root)
    return try git(["rev-parse", "HEAD"], in: root)
  }

  var repository: String { url.appending(path: "repo").path }

  /// Counts `port` over `base`.
  func count(
    _ base: String, _ port: String, map: EffortMap = .builtIn
  ) async throws -> EffortReport {
    runs += 1
    let scratch = url.appending(path: "scratch-\(runs)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    var request = EffortRequest(base: base, port: port, scratch: scratch)
    request.repository = repository
    request.map = map
    request.mapName = map.isBuiltIn ? "built in" : "a map"
    return try await EffortCounter(request).report()
  }
}

/// Runs git and returns what it prints.
@discardableResult
func git(_ arguments: [String], in folder: String) throws -> String {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments =
    [
      "git", "-C", folder, "-c", "user.name=Tester", "-c", "user.email=tester@example.invalid",
      "-c", "core.autocrlf=false", "-c", "advice.addEmbeddedRepo=false",
    ] + arguments
  process.environment = ProcessInfo.processInfo.environment.merging([
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_DATE": "2003-03-01T12:00:00Z", "GIT_COMMITTER_DATE": "2003-03-01T12:00:00Z",
  ]) { $1 }
  let output = Pipe()
  process.standardOutput = output
  process.standardError = FileHandle.nullDevice
  try process.run()
  let bytes = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0, "git \(arguments)")
  var text = String(decoding: bytes, as: UTF8.self)
  if text.hasSuffix("\n") { text.removeLast() }
  return text
}
