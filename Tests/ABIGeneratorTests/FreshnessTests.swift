// The generated files of the repository are what abi/ gives, byte for byte.

import ABIGenerator
import ABISchema
import Foundation
import Testing

@Suite struct FreshnessTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: root + "/abi"),
      "there is no abi/ folder beside Package.swift"))
  func repository_generatedFiles_areCurrent() throws {
    let (sources, faults) = ABILoader.read(folder: Self.root + "/abi", display: "abi")
    #expect(faults.isEmpty)
    let abi = try #require(ABILoader.load(sources).abi)
    let stale = RepositoryFiles.files(abi: abi, sources: sources).filter { file in
      FileManager.default.contents(atPath: Self.root + "/" + file.path) != Data(file.text.utf8)
    }
    #expect(stale.map(\.path) == [], "run `xenograft abi check --write`")
  }

  @Test func embedded_data_isSound() throws {
    let result = ABILoader.embedded()
    #expect(result.diagnostics.map(\.rendered) == [])
    let abi = try #require(result.abi)
    #expect(Catalog(abi).named("grant_table_op").count == 1)
    #expect(Catalog(abi).numbered(17).contains { $0.name == "xen_version" })
    #expect(Catalog(abi).near("grant_tableop").contains("grant_table_op"))
  }

  @Test func pages_ofAllEntries_haveContents() throws {
    let abi = try #require(ABILoader.embedded().abi)
    let builder = PageBuilder(abi)
    for entry in Catalog(abi).entries {
      let text = TextRenderer.render(builder.page(entry))
      #expect(text.count > 40, "\(entry.kind) \(entry.name)")
    }
  }
}
