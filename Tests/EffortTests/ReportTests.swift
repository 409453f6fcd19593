// The renderings: the contract's fields, and snapshots of each format.

import Foundation
import Testing

@testable import Effort

@Suite struct ReportTests {
  /// A port with a file in most places, counted once for each test.
  private func report() async throws -> EffortReport {
    let place = try Workplace()
    let base: Tree = [
      "arch/i386/traps.c": .text(numbered(30)), "arch/i386/mm.c": .text(numbered(20, "mm")),
      "kernel/sched.c": .text(numbered(40, "sched") + "/* end */\n"),
      "mm/old.c": .text(numbered(3, "old")),
    ]
    var port = base
    port["mm/old.c"] = nil
    port["arch/xen/traps.c"] = .text(
      numbered(30).replacing("number 7;", with: "number 8;") + "\n// new\nx;\n")
    port["arch/xen/mm.c"] = .text(numbered(20, "mm"))
    port["arch/xen/hypervisor.c"] = .text(numbered(12, "hypervisor"))
    port["kernel/sched.c"] = .text("x;\n" + numbered(40, "sched") + "\t/* end */\n")
    port["drivers/xen/blkfront/blkfront.c"] = .text(numbered(9, "block"))
    port["drivers/xen/blkfront/Makefile"] = "obj-y := blkfront.o\n"
    port["include/xen/interface/xen.h"] = .text(numbered(50, "header"))
    port["logo|<b>.bin"] = .bytes([0, 1])
    port["current"] = .link("arch/xen")
    port["notes"] = "words\n"
    var report = try await place.count(place.write(base, to: "base"), place.write(port, to: "port"))
    // What differs from machine to machine.
    report.gitVersion = "2.39.5"
    report.base = "base"
    report.port = "port"
    report.baseName = "base"
    report.portName = "port"
    return report
  }

  @Test(arguments: EffortFormat.allCases) func format_matchesRecord(format: EffortFormat)
    async throws
  {
    var view = EffortView()
    view.showsPaper = true
    try expectSnapshot(await report().render(format, view), "port.\(format.rawValue)")
  }

  @Test func json_hasTheFieldsOfTheContract() async throws {
    let report = try await report()
    for count in CountKind.allCases {
      for mode in Whitespace.allCases {
        var view = EffortView()
        view.count = count
        view.whitespace = mode
        let text = report.render(.json, view)
        let json = try #require(
          JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(json["schema"] as? String == "xenograft.effort/1")
        #expect(json["count"] as? String == count.rawValue)
        #expect(json["whitespace"] as? String == mode.rawValue)
        let git = try #require(json["git"] as? [String: Any])
        #expect(git["version"] as? String == "2.39.5" && git["base"] as? String == "base")
        #expect((git["options"] as? [String])?.contains("-w") == (mode == .ignore))
        let sections = try #require(json["sections"] as? [[String: Any]])
        let names = sections.compactMap { $0["name"] as? String }
        #expect(names.starts(with: EffortMap.paperSections + EffortMap.otherSections))
        let network = try #require(
          sections.first { $0["name"] as? String == "Virtual network driver" })
        for field in ["added", "modified", "removed", "lines", "files"] {
          #expect(network[field] is NSNull, "\(field)")
        }
        #expect(network["total"] as? Bool == true)
        let sum = sections.filter { $0["total"] as? Bool == true }
          .reduce(0) { $0 + ($1["lines"] as? Int ?? 0) }
        let total = try #require(json["total"] as? Int)
        #expect(total == sum && total > 0)
        let base = try #require(json["base"] as? [String: Any])
        let lines = try #require(base["lines"] as? Int)
        #expect(base["include"] is [String] && base["exclude"] is [String])
        let portion = try #require(json["portion"] as? Double)
        #expect(abs(portion - Double(total) / Double(lines)) < 1e-12)
        let listed = try #require(json["listed"] as? [String: Any])
        #expect(listed["binary"] as? [String] == ["logo|<b>.bin"])
        #expect(listed["symlink"] as? [String] == ["current"])
        #expect(listed["submodule"] as? [String] == [])
        #expect(listed["excluded"] as? [String] == ["include/xen/interface/xen.h"])
        #expect(listed["catchAll"] as? [String] == ["notes"])
        let all = try #require(
          (sections[0]["counts"] as? [String: Any])?[mode.rawValue] as? [String: Any])
        #expect(Set(all.keys) == ["raw", "nonblank", "code"])
      }
    }
  }

  @Test func guide_showsWhatComesOut() async throws {
    var view = EffortView()
    view.showsPaper = true
    let listing = try await report().render(.text, view).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map { $0.isEmpty ? "" : "    " + $0 }.joined(separator: "\n")
    let guide = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "guides/effort.md")
    let text = try String(decoding: Data(contentsOf: guide), as: UTF8.self)
    #expect(text.contains(listing))
  }

  @Test func paper_hasItsOwnSums() {
    for paper in PaperPort.all {
      #expect(paper.lines.compactMap { $0 }.reduce(0, +) == paper.total)
    }
    #expect(PaperPort.all.map(\.portionText) == ["1.36 %", "0.04 %"])
  }

  @Test func foreignNames_areShownAsTheyAre() {
    #expect(printable("a\u{1B}[31m\u{202E}b") == "a\\u{1b}[31m\\u{202e}b")
    #expect(htmlText("<a & \"b\">") == "&lt;a &amp; &quot;b&quot;&gt;")
    #expect(csvField("a,\"b\"") == "\"a,\"\"b\"\"\"")
    #expect(grouped(-1_234_567) == "-1,234,567" && percent(0.0136) == "1.36 %")
  }
}

/// Compares `text` with the record `name`; XENOGRAFT_RENEW_SNAPSHOTS=1 writes it anew.
private func expectSnapshot(_ text: String, _ name: String) throws {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snapshots")
  let file = folder.appending(path: name)
  if ProcessInfo.processInfo.environment["XENOGRAFT_RENEW_SNAPSHOTS"] == "1" {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file, options: .atomic)
    return
  }
  let record = try String(decoding: Data(contentsOf: file), as: UTF8.self)
  #expect(text == record, "\(name): XENOGRAFT_RENEW_SNAPSHOTS=1 writes it anew")
}
