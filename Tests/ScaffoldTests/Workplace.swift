// A folder for one test, and commands run in it.

import ABISchema
import Foundation
import Testing

@testable import Scaffold

/// A temporary folder that goes with the test.
final class Workplace {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "xenograft-scaffold-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Writes the project that `request` asks for and gives its folder.
  func generate(_ request: ScaffoldRequest, as name: String = "project") throws -> URL {
    let target = folder.appending(path: name)
    let abi = try #require(ABILoader.embedded().abi)
    try ScaffoldFolder(path: target.path)
      .write(try Scaffold(abi: abi).files(for: request), force: false)
    return target
  }

  /// Runs a command; its status, and all that it printed.
  func run(_ arguments: [String], in folder: URL) throws -> (status: Int32, text: String) {
    let log = self.folder.appending(path: "\(UUID().uuidString).log")
    try Data().write(to: log)
    let handle = try FileHandle(forWritingTo: log)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOf: log, encoding: .utf8))
  }

  /// Builds a project: not a word may be printed, since every warning is one.
  func build(_ project: URL, _ variables: [String] = []) throws {
    let made = try run(["make", "-s"] + variables, in: project)
    #expect(made.status == 0)
    #expect(made.text == "")
  }
}

let checkout = URL(filePath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
