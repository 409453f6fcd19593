// The repository's own data is sound, and what was built into the program is that data.

import Foundation
import Testing

@testable import ABISchema

@Suite struct RepositoryDataTests {
  /// `abi/` beside Package.swift, or the folder that XENOGRAFT_ABI_DIR names.
  static let folder: String = {
    if let named = ProcessInfo.processInfo.environment["XENOGRAFT_ABI_DIR"] { return named }
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return root.appendingPathComponent("abi").path
  }()
  static let isPresent = FileManager.default.fileExists(atPath: folder)

  @Test(.enabled(if: isPresent, "there is no abi/ folder beside Package.swift"))
  func load_repositoryData_hasNoErrors() throws {
    let result = ABILoader.load(folder: Self.folder, display: "abi")
    for diagnostic in result.diagnostics { print(diagnostic.rendered) }
    #expect(!result.hasErrors)
    let abi = try #require(result.abi)
    #expect(!abi.structures.isEmpty)
    #expect(!abi.hypercalls.isEmpty)
    let constants = abi.subjects.flatMap { $0.constants + $0.impliedConstants }
    print(
      "\(abi.subjects.count) subjects, \(abi.structures.count) structures, "
        + "\(constants.flatMap(\.constants).count) constants, \(abi.hypercalls.count) hypercalls")
  }
}
