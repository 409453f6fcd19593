// Every edge case, with folders and revisions on either side.

import Testing

@testable import Effort

@Suite struct EdgeCaseTests {
  @Test(arguments: EdgeCase.contents + EdgeCase.trees)
  func edgeCase_isCountedAsStated(edge: EdgeCase) async throws {
    let map = try edge.map.map { try EffortMap(yaml: $0, file: "map.yaml") } ?? .builtIn
    for kind in edge.kinds {
      let place = try Workplace()
      let needsCommits = kind != .folders
      let base = try needsCommits ? place.commit(edge.base()) : ""
      let port = try needsCommits && kind != .revisionAndFolder ? place.commit(edge.port()) : ""
      let baseFolder = try place.write(edge.base(), to: "base")
      let portFolder = try place.write(edge.port(), to: "port")
      let report =
        switch kind {
        case .folders: try await place.count(baseFolder, portFolder, map: map)
        case .revisions: try await place.count(base, port, map: map)
        case .folderAndRevision: try await place.count(baseFolder, port, map: map)
        case .revisionAndFolder: try await place.count(base, portFolder, map: map)
        }
      check(report, edge, kind)
    }
  }

  private func check(_ report: EffortReport, _ edge: EdgeCase, _ kind: SideKind) {
    func found(_ mode: Whitespace, _ count: CountKind) -> [String: String] {
      Dictionary(
        uniqueKeysWithValues: report.files.map { file in
          let change = file.changes[mode][count]
          return (file.path, "\(change.added) \(change.modified) \(change.removed)")
        })
    }
    #expect(found(.ignore, .raw) == edge.files, "\(kind)")
    #expect(found(.strict, .raw) == edge.strict ?? edge.files, "\(kind)")
    if let code = edge.code { #expect(found(.ignore, .code) == code, "\(kind)") }
    if let nonblank = edge.nonblank { #expect(found(.ignore, .nonblank) == nonblank, "\(kind)") }
    for (path, section) in edge.sections {
      #expect(report.files.first { $0.path == path }?.section == section, "\(path) \(kind)")
    }
    for (path, status) in edge.status {
      #expect(report.files.first { $0.path == path }?.status == status, "\(path) \(kind)")
    }
    #expect(report.listed == edge.listed, "\(kind)")
    if let baseLines = edge.baseLines { #expect(report.baseLines.raw == baseLines, "\(kind)") }
  }

  @Test func thereAreFifty() {
    #expect(EdgeCase.contents.count + EdgeCase.trees.count >= 50)
  }
}
