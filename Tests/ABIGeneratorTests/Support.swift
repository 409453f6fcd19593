// What the tests share: the interface under test, tools of the machine, and a scratch folder.

import ABIGenerator
import ABISchema
import Foundation

/// The interface that the tests generate from: `abi/` of the repository, or XENOGRAFT_ABI_DIR.
enum TestABI {
  static let folder: String = {
    if let named = ProcessInfo.processInfo.environment["XENOGRAFT_ABI_DIR"] { return named }
    return URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("abi").path
  }()

  static let abi: ABI? = ABILoader.load(folder: folder, display: "abi").abi
  static let isPresent = FileManager.default.fileExists(atPath: folder)
  static let missing = "there is no abi/ folder beside Package.swift"

  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures").path
}

/// A program of this machine.
enum Tool: String {
  case clang
  case gcc
  case rustc
  case swiftc
  case nasm
  case assembler = "as"

  /// The full path; `nil` where the machine does not have it.
  var path: String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/\(rawValue)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// The machine has it, and a Rust compiler new enough for `offset_of!` (1.77).
  var isPresent: Bool { path != nil && (self != .rustc || Self.rustMinor >= 77) }

  /// The minor version of the Rust compiler; 0 without one.
  private static let rustMinor: Int = {
    guard let path = Tool.rustc.path else { return 0 }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["--version"]
    process.standardOutput = pipe
    guard (try? process.run()) != nil else { return 0 }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.firstMatch(of: /rustc 1\.(\d+)/).flatMap { Int($0.1) } ?? 0
  }()
}

/// A folder that is removed at the end.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/xenograft-abi-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ files: [GeneratedFile], under folder: String) throws {
    for file in files { try write(file.text, to: folder + "/" + file.path) }
  }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    let full = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: full))
    return full
  }
}

/// What a program printed and how it ended.
struct Outcome {
  var status: Int32
  var output: String
}

enum Shell {
  /// Runs a tool to its end, at most `seconds` long; output and errors together.
  static func run(
    _ program: String, _ arguments: [String], in folder: String, seconds: Int = 300
  ) throws -> Outcome {
    let log = folder + "/log-" + UUID().uuidString
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments = ["-k", "5", String(seconds), program] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    process.standardOutput = handle
    process.standardError = handle
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try handle.close()
    let data = FileManager.default.contents(atPath: log) ?? Data()
    return Outcome(
      status: process.terminationStatus,
      output: String(decoding: data.prefix(20_000), as: UTF8.self))
  }

  static func run(
    _ tool: Tool, _ arguments: [String], in folder: String, seconds: Int = 300
  ) throws -> Outcome {
    try run(tool.path ?? tool.rawValue, arguments, in: folder, seconds: seconds)
  }
}
