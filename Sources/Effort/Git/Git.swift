// Runs git: with an environment of our own, so that nobody's configuration changes a figure, and
// with its output as a stream, since diffs and trees may be larger than memory should be.

import Foundation
import Subprocess
import SystemPackage

/// A git that reads one repository.
struct Git: Sendable {
  /// Where git runs, as its option `-C`; `nil` for the current folder.
  var folder: String?
  /// Repositories of other owners that the user trusts; the one setting of theirs that is kept.
  var trusted: [String] = []

  /// Settings that would otherwise depend on the machine, and limits of git's memory.
  static let settings = [
    "-c", "core.bigFileThreshold=512m", "-c", "core.quotePath=false", "-c",
    "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false", "-c", "core.packedGitWindowSize=8m",
    "-c", "core.packedGitLimit=48m", "-c", "core.deltaBaseCacheLimit=32m", "-c",
    "core.useReplaceRefs=false",
  ]

  private static let environment: Subprocess.Environment = {
    var values: [Subprocess.Environment.Key: String] = [
      "HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent", "LC_ALL": "C", "TZ": "UTC",
      "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
      "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_ATTR_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
      "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_PAGER": "cat",
    ]
    values["PATH"] = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return .custom(values)
  }()

  /// Only `ofUser` reads the user's settings.
  private var usesOwnEnvironment = true

  init(folder: String? = nil) {
    self.folder = folder
  }

  /// A git that reads the repository in `folder` where its user may.
  static func ofUser(folder: String?) async -> Git {
    var reader = Git()
    reader.usesOwnEnvironment = false
    var git = Git(folder: folder)
    for scope in ["--system", "--global"] {
      // Without the setting git ends with 1.
      let text = try? await reader.text(["config", scope, "--get-all", "safe.directory"])
      git.trusted += text?.split(separator: "\n").map(String.init) ?? []
    }
    return git
  }

  /// Git's version, `2.39.5`.
  static func version() async throws(EffortError) -> String {
    let text = try await Git().text(["version"])
    return text.split(separator: " ").dropFirst(2).first.map(String.init) ?? text
  }

  /// Runs git and returns its output, without the last line's end.
  func text(_ arguments: [String], input: [UInt8] = []) async throws(EffortError) -> String {
    var text = String(decoding: try await bytes(arguments, input: input), as: UTF8.self)
    if text.hasSuffix("\n") { text.removeLast() }
    return text
  }

  /// Runs git and returns its output.
  func bytes(_ arguments: [String], input: [UInt8] = []) async throws(EffortError) -> [UInt8] {
    var result: [UInt8] = []
    try await stream(arguments, input: input) { result.append(contentsOf: $0) }
    return result
  }

  /// Runs git and hands its output on as it comes.
  func stream(
    _ arguments: [String], input: [UInt8] = [], to body: (UnsafeRawBufferPointer) throws -> Void
  ) async throws(EffortError) {
    let place = folder.map { ["-C", $0] } ?? []
    let trust = trusted.flatMap { ["-c", "safe.directory=\($0)"] }
    let configuration = Subprocess.Configuration(
      executable: .name("git"), arguments: Arguments(place + Self.settings + trust + arguments),
      environment: usesOwnEnvironment ? Self.environment : .inherit)
    do {
      let result = try await Subprocess.run(
        configuration, input: .array(input), output: .sequence, error: .string(limit: 1 << 20)
      ) { execution in
        for try await buffer in execution.standardOutput {
          try buffer.withUnsafeBytes { try body($0) }
        }
      }
      guard result.terminationStatus.isSuccess else {
        throw EffortError.git(
          command: arguments.first ?? "", message: Self.message(result.standardError))
      }
    } catch let error as EffortError {
      throw error
    } catch let error as SubprocessError where error.code == .executableNotFound {
      throw .gitMissing
    } catch {
      throw .git(command: arguments.first ?? "", message: "\(error)")
    }
  }

  /// The first line of what git complains about.
  private static func message(_ errors: String) -> String {
    let line = errors.split(separator: "\n").first.map(String.init) ?? "no message"
    return line.hasPrefix("fatal: ") ? String(line.dropFirst(7)) : line
  }
}
