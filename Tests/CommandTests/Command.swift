// Runs the built command as a user does, and says what came out.

import Foundation
import Testing

/// What one run of the command did.
struct Run {
  var output: Data
  var errors: String
  var status: Int32

  var text: String { String(decoding: output, as: UTF8.self) }
}

enum Command {
  static let checkout = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The command that was built with the tests, or the one that XENOGRAFT names.
  static let path: String = {
    if let named = ProcessInfo.processInfo.environment["XENOGRAFT"] { return named }
    return checkout.appending(path: ".build/debug/xenograft").path
  }()

  /// Runs `xenograft` with `arguments`, in the checkout unless another folder is named.
  ///
  /// `search` takes the place of PATH, `temporary` that of the folder for temporary files, `input` that of an empty standard input; `whileRunning` is called
  /// with the process once it runs.
  static func run(
    _ arguments: [String], in folder: URL = checkout, search: String? = nil,
    temporary: String? = nil, input: Any = FileHandle.nullDevice,
    whileRunning: ((Process) -> Void)? = nil
  ) throws -> Run {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    let changes = ["PATH": search, "TMPDIR": temporary].compactMapValues(\.self)
    if !changes.isEmpty {
      process.environment = ProcessInfo.processInfo.environment.merging(changes) { $1 }
    }
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = input
    try process.run()
    whileRunning?(process)
    // Both pipes are drained together, since either may fill up.
    nonisolated(unsafe) var text = Data()
    let group = DispatchGroup()
    DispatchQueue.global().async(group: group) {
      text = errors.fileHandleForReading.readDataToEndOfFile()
    }
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    group.wait()
    process.waitUntilExit()
    let status =
      process.terminationReason == .exit
      ? process.terminationStatus : 128 + process.terminationStatus
    return Run(output: bytes, errors: String(decoding: text, as: UTF8.self), status: status)
  }

  /// Runs `xenograft` with the words of `line`.
  static func run(_ line: String) throws -> Run {
    try run(line.split(separator: " ").map(String.init))
  }
}

/// A folder that goes away with its owner.
final class Scratch: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "xenograft-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  /// Writes `bytes` into a file of this folder and returns its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = url.appending(path: name)
    try Data(bytes).write(to: file)
    return file.path
  }
}

/// The sample kernel, built once with the toolchain's clang; `nil` where that does not go.
let sampleKernel: String? = {
  let folder = Command.checkout.appending(path: "Tests/Guests/native-sample")
  let image = Command.checkout.appending(path: ".build/sample-kernel-for-tests")
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = ["make", "-s", "-C", folder.path, "OUTPUT=\(image.path)"]
  process.standardError = FileHandle.nullDevice
  guard (try? process.run()) != nil else { return nil }
  process.waitUntilExit()
  return process.terminationStatus == 0 ? image.path : nil
}()
