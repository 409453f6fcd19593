// `xenograft effort` as a user runs it: what it prints, how it ends, what it leaves behind.

import Foundation
import Testing

struct EffortRunTests {
  /// Two folders, and a map with a fault in its third line.
  private func trees() throws -> Scratch {
    let scratch = try Scratch()
    for (path, text) in [
      ("base/kernel/a.c", "a;\nb;\n"), ("port/kernel/a.c", "a;\nx;\ny;\n"),
      ("port/odd.thing", "z\n"), ("bad.yaml", "paths:\n  a: b\nsection: []\n"),
      ("broken.yaml", "paths: [\n"), ("binary.yaml", "\u{0}\u{1}"),
    ] {
      let file = scratch.url.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return scratch
  }

  private let usual = ["effort", "--base", "base", "--port", "port"]

  @Test func folders_areCounted() throws {
    let scratch = try trees()
    let run = try Command.run(usual + ["--format", "json"], in: scratch.url)
    #expect(run.status == 0, "\(run.errors)")
    let json = try #require(JSONSerialization.jsonObject(with: run.output) as? [String: Any])
    #expect(json["schema"] as? String == "xenograft.effort/1" && json["total"] as? Int == 3)
  }

  @Test(arguments: [
    (["--map", "bad.yaml"], "bad.yaml:3:1: expected one of the keys paths"),
    (["--map", "broken.yaml"], "broken.yaml:2:1: expected YAML"),
    (["--map", "binary.yaml"], "binary.yaml:1:1: expected"),
    (["--map", "none.yaml"], "none.yaml: expected a map"),
    (["--map", "base"], "base: expected a map"),
    (["--count", "words"], "words"), (["--whitespace", "some"], "some"),
    (["--format", "pdf"], "pdf"), (["--jobs", "0"], "--jobs"),
    (["--history"], "two revisions"), (["--history", "--format", "html"], "--format csv"),
    (["--svg", "a.svg"], "--history"), (["--output", "no/such/folder"], "no/such/folder"),
  ]) func fault_endsWith2_andNamesIt(more: [String], named: String) throws {
    let scratch = try trees()
    let run = try Command.run(usual + more, in: scratch.url)
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(run.errors.contains(named), "\(run.errors)")
  }

  @Test(arguments: [
    (["--base", "nothing", "--port", "port"], "--base nothing"),
    (["--base", "base", "--port", "bad.yaml"], "--port bad.yaml"),
    (["--base", "base"], "--port"), (["--base", "", "--port", "port"], "--base"),
    (["--base", "--upload-pack=x", "--port", "port"], "--base"),
    (["--base", "HEAD", "--port", "HEAD", "--repo", "base"], "--base HEAD"),
  ]) func sides_thatAreNone_endWith2(sides: [String], named: String) throws {
    let scratch = try trees()
    let run = try Command.run(["effort"] + sides, in: scratch.url)
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(run.errors.contains(named), "\(run.errors)")
  }

  @Test func strict_endsWith1_afterTheReport() throws {
    let scratch = try trees()
    let run = try Command.run(usual + ["--strict"], in: scratch.url)
    #expect(run.status == 1 && run.text.contains("Total"))
    #expect(run.errors.contains("odd.thing"))
  }

  @Test func gitMissing_endsWith3_andNamesThePackage() throws {
    let scratch = try trees()
    let run = try Command.run(usual, in: scratch.url, search: scratch.url.path)
    #expect(run.status == 3 && run.output.isEmpty)
    #expect(run.errors.contains("Debian package: git"))
  }

  @Test func configurationOfTheUser_changesNothing() throws {
    let scratch = try trees()
    let config = try scratch.file(
      "config",
      Array("[diff]\n algorithm = patience\n external = false\n[core]\n autocrlf = true\n".utf8))
    let plain = try Command.run(usual, in: scratch.url)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["GIT_CONFIG_GLOBAL=\(config)", "GIT_EXTERNAL_DIFF=false", "GIT_DIR=/nowhere", Command.path]
      + usual
    process.currentDirectoryURL = scratch.url
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0 && text == plain.text)
  }

  @Test func help_hasAnExample() throws {
    let run = try Command.run("effort --help")
    #expect(run.status == 0 && run.text.contains("xenograft effort --base v2.4.21"))
  }
}
