// Each point of a history is what the report says of that commit.

import Foundation
import Testing

@testable import Effort

@Suite struct HistoryTests {
  /// Five commits with a clone, a change that is taken back, a rename and a file that goes.
  private func commits(_ place: Workplace) throws -> [String] {
    var tree: Tree = ["arch/i386/a.c": .text(numbered(20)), "kernel/k.c": .text(numbered(9, "k"))]
    var hashes = [try place.commit(tree)]
    tree["arch/xen/a.c"] = .text(numbered(20) + "x;\n")
    tree["arch/xen/new.c"] = .text(numbered(4, "new"))
    hashes.append(try place.commit(tree, message: "xen: Clone, \"quoted\""))
    tree["kernel/k.c"] = .text(numbered(9, "k") + "more;\n")
    hashes.append(try place.commit(tree))
    tree["kernel/k.c"] = .text(numbered(9, "k"))
    tree["arch/xen/new.c"] = nil
    hashes.append(try place.commit(tree))
    hashes.append(try place.commit(tree, message: "nothing"))
    tree["kernel/k.c"] = nil
    tree["kernel/renamed.c"] = .text(numbered(9, "k") + "y;\nz;\n")
    hashes.append(try place.commit(tree))
    return hashes
  }

  @Test func points_agreeWithReports() async throws {
    let place = try Workplace()
    let hashes = try commits(place)
    let map = try EffortMap(yaml: "paths: {arch/xen: arch/i386}", file: "map")
    let scratch = place.url.appending(path: "history")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    var request = EffortRequest(
      base: hashes[0], port: try #require(hashes.last), scratch: scratch)
    request.repository = place.repository
    request.map = map
    let counter = try await EffortCounter(request)
    let history = try await counter.history(counter.report())
    #expect(history.points.map(\.commit) == Array(hashes.dropFirst()))
    #expect(history.points.map { $0.total(.raw, .ignore) } == [5, 6, 1, 1, 3])
    for point in history.points {
      let report = try await place.count(hashes[0], point.commit, map: map)
      for mode in Whitespace.allCases {
        for count in CountKind.allCases {
          #expect(point.total(count, mode) == report.total[mode][count].lines, "\(point.subject)")
        }
      }
    }
    let csv = history.csv(EffortView())
    #expect(csv.contains("\"xen: Clone, \"\"quoted\"\"\""))
    #expect(csv.contains(",2003-03-01,"))
    let svg = history.svg(EffortView())
    #expect(throws: Never.self) { try XMLText.check(svg) }
  }

  @Test func folders_haveNoHistory() async throws {
    let place = try Workplace()
    try place.write(["kernel/a.c": "a;\n"], to: "base")
    let scratch = place.url.appending(path: "history")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    let folder = place.url.appending(path: "base").path
    let counter = try await EffortCounter(
      EffortRequest(base: folder, port: folder, scratch: scratch))
    let report = try await counter.report()
    await #expect(throws: EffortError.self) { try await counter.history(report) }
  }

  @Test func dates_areThoseOfTheCalendar() {
    #expect(EffortHistory.date(0) == "1970-01-01")
    #expect(EffortHistory.date(951_782_400) == "2000-02-29")
    #expect(EffortHistory.date(1_046_520_000) == "2003-03-01")
    #expect(EffortHistory.date(-1) == "1969-12-31")
    #expect(EffortHistory.date(.max) == "9999-12-31" && EffortHistory.date(.min) == "0001-01-01")
  }
}

/// Just enough of XML to see that a drawing is well-formed.
private enum XMLText {
  struct Unbalanced: Error {}

  static func check(_ text: String) throws {
    var open: [Substring] = []
    for piece in text.split(separator: "<").dropFirst(text.hasPrefix("<") ? 0 : 1) {
      guard let end = piece.firstIndex(of: ">") else { throw Unbalanced() }
      let tag = piece[..<end]
      if tag.hasPrefix("/") {
        guard open.popLast() == tag.dropFirst() else { throw Unbalanced() }
      } else if !tag.hasSuffix("/") {
        open.append(tag.prefix { $0 != " " && $0 != "\n" })
      }
    }
    if !open.isEmpty { throw Unbalanced() }
  }
}
