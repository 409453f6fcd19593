// A script in QEMU's place, which plays a machine: what the harness makes of it can then be seen
// without one, and for machines that no honest hypervisor would be.

import Foundation
import Testing

/// A folder with a script named as QEMU, and the files of one boot.
final class FakeQemu {
  let scratch: Scratch
  let kernel: String

  /// `body` is what the machine does, in shell; its working folder is the run's.
  init(_ body: String, path: String = "/usr/bin:/bin") throws {
    scratch = try Scratch()
    kernel = try #require(sampleKernel)
    let folder = scratch.url.path
    let script = """
      #!/bin/sh
      printf '%s\\n' "$@" >'\(folder)/arguments'
      pwd >'\(folder)/folder'
      [ ! -f modules ] || cp modules '\(folder)/modules'
      echo $$ >'\(folder)/process.new' && mv '\(folder)/process.new' '\(folder)/process'
      say() { printf 'rootstock: %s\\r\\n' "$*"; }
      \(body)

      """
    let bin = scratch.url.appending(path: "bin")
    try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: false)
    let file = bin.appending(path: "qemu-system-x86_64").path
    try Data(script.utf8).write(to: URL(filePath: file))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    _ = try scratch.file("hypervisor", Array("no hypervisor at all".utf8))
    search = bin.path + ":" + path
  }

  /// What PATH is to be.
  let search: String

  /// Boots the sample kernel on this machine.
  func boot(
    _ options: [String] = [], input: Any = FileHandle.nullDevice,
    whileRunning: ((Process) -> Void)? = nil
  ) throws -> Run {
    try Command.run(
      ["boot", "--rootstock", file("hypervisor"), "--accel", "tcg"] + options + [kernel],
      search: search, input: input, whileRunning: whileRunning)
  }

  func file(_ name: String) -> String { scratch.url.appending(path: name).path }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: file(name), encoding: .utf8)
  }

  /// What QEMU was called with.
  var arguments: [String] {
    get throws { try text("arguments").split(separator: "\n").map(String.init) }
  }

  /// The argument behind `name`.
  func argument(_ name: String) throws -> String? {
    let all = try arguments
    return all.firstIndex(of: name).flatMap { all.indices.contains($0 + 1) ? all[$0 + 1] : nil }
  }

  /// The machine still runs.
  var isRunning: Bool {
    get throws {
      let process = try text("process").trimmingCharacters(in: .whitespacesAndNewlines)
      let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
      return state.map { !$0.contains(") Z ") } ?? false
    }
  }

  /// The folder in which the machine ran is still there.
  var leavesFolder: Bool {
    get throws {
      let folder = try text("folder").trimmingCharacters(in: .whitespacesAndNewlines)
      return FileManager.default.fileExists(atPath: folder)
    }
  }

  /// Files under temporary names that were left beside the outputs.
  var partials: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: scratch.url.path)) ?? []
    return names.filter { $0.hasSuffix(".partial") }
  }

  /// The boot's result, and that it is all that was printed.
  func result(_ run: Run) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: run.output) as? [String: Any])
  }
}
