// `xenograft effort`: what a port cost, in lines.

public import ArgumentParser
public import Effort
import Foundation

struct EffortCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "effort",
    abstract: "Count what a port cost in lines, in the rows of the SOSP 2003 paper's table.",
    discussion: """
      Compares two revisions of a repository, two folders, or one with the other. Of each hunk of git's diff, \
      modified = min(old, new), added = new - modified, removed = old - modified; a section's lines are those added and modified. \
      Without --map it guesses which folders were cloned from which, and says what it guessed.

      Examples:

        xenograft effort --base v2.4.21 --port xen-port --repo linux --paper
        xenograft effort --base v2.4.21 --port xen-port --history --svg effort.svg
        xenograft effort --base linux --port linux-xen --map effort.yaml

      Exit codes: 0; 1, under --strict a file was taken by no rule or a catch-all only; 2, a tree, revision or map cannot \
      be read; 3, git is missing.
      """)

  @Option(help: ArgumentHelp("What was ported, before it was.", valueName: "folder|revision"))
  var base: String

  @Option(help: ArgumentHelp("The port.", valueName: "folder|revision"))
  var port: String

  @Option(
    help: ArgumentHelp(
      "The repository of revisions; by default the current folder's.", valueName: "folder"),
    completion: .directory)
  var repo: String?

  @Option(
    help: ArgumentHelp(
      "Clones, sections and denominator, as YAML; see guides/effort.md.", valueName: "file"),
    completion: .file())
  var map: String?

  @Option(help: .value("lines", "Which lines count; raw is the paper's."))
  var count: CountKind = .raw

  @Option(
    help: .value("mode", "Whether changes of white space count; the other total is printed, too."))
  var whitespace: Whitespace = .ignore

  @Option(help: "How to print.")
  var format: EffortFormat = .text

  @Option(
    help: .value("file", "Write to this file instead of standard output."), completion: .file())
  var output: String?

  @Flag(help: "Print the paper's own rows beside the port's.")
  var paper = false

  @Flag(help: "End with 1 where only a catch-all, or no rule at all, took a file.")
  var strict = false

  @Flag(help: "Print the effort at each first-parent commit from the base to the port, as CSV.")
  var history = false

  @Option(
    help: ArgumentHelp("With --history: draw it into this file, as SVG.", valueName: "file"),
    completion: .file())
  var svg: String?

  @Option(help: .value("number", "Threads that may work; by default one for each processor."))
  var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard (1...256).contains(jobs) else {
      throw ValidationError("--jobs: expected a number from 1 to 256, found \(jobs).")
    }
    if history, format != .text, format != .csv {
      throw ValidationError("--history: expected --format csv, found \(format.rawValue).")
    }
    if svg != nil, !history {
      throw ValidationError("--svg: expected together with --history, found alone.")
    }
  }

  func run() async throws {
    for path in [output, svg] { try OutputFile.check(path) }
    let scratch = FileManager.default.temporaryDirectory
      .appending(path: "xenograft-effort-\(UUID().uuidString)")
    Interruption.willWrite(scratch.path)
    defer {
      try? FileManager.default.removeItem(at: scratch)
      Interruption.didWrite(scratch.path)
    }
    do {
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    } catch {
      throw CommandFailure.input(
        "\(scratch.path): expected a folder that can be made, found: \(error.localizedDescription)")
    }
    let report: EffortReport
    var course: EffortHistory?
    do throws(EffortError) {
      let counter = try await EffortCounter(request(in: scratch))
      report = try await counter.report()
      if history { course = try await counter.history(report) }
    } catch {
      throw CommandFailure(error)
    }
    var view = EffortView()
    view.count = count
    view.whitespace = whitespace
    view.showsPaper = paper
    let bytes = Array((course?.csv(view) ?? report.render(format, view)).utf8)
    if let svg, let course { try OutputFile.write(Array(course.svg(view).utf8), to: svg) }
    if let output {
      try OutputFile.write(bytes, to: output)
    } else {
      try StandardOutput.write(bytes)
    }
    if strict, let first = report.listed.catchAll.first {
      let count = report.listed.catchAll.count
      throw CommandFailure(
        message: "expected a rule of the map for each file, found \(count) without one: \(first)"
          + (count > 1 ? " and others" : ""), exitCode: 1)
    }
  }

  private func request(in scratch: URL) throws(EffortError) -> EffortRequest {
    var request = EffortRequest(base: base, port: port, scratch: scratch)
    var isFolder: ObjCBool = false
    if let repo,
      !FileManager.default.fileExists(atPath: repo, isDirectory: &isFolder) || !isFolder.boolValue
    {
      throw .input(subject: repo, expected: "a repository's folder", found: "no folder")
    }
    request.repository = repo
    request.jobs = jobs
    guard let map else { return request }
    guard let data = FileManager.default.contents(atPath: map) else {
      throw .input(subject: map, expected: "a map that can be read", found: "none")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw .input(subject: map, expected: "UTF-8 text", found: "other bytes")
    }
    request.map = try EffortMap(yaml: text, file: map)
    request.mapName = map
    return request
  }
}

extension CountKind: ExpressibleByArgument {}
extension Whitespace: ExpressibleByArgument {}
extension EffortFormat: ExpressibleByArgument {}

extension CommandFailure {
  init(_ error: EffortError) {
    switch error {
    case .input(let subject, let expected, let found):
      self = .input("\(subject): expected \(expected), found \(found)")
    case .map(let file, let line, let column, let expected, let found):
      self = .input("\(file):\(line):\(column): expected \(expected), found \(found)")
    case .gitMissing:
      self = .missing("expected git on PATH, found none (Debian package: git)")
    case .git(let command, let message):
      self = .input("git \(command): \(message)")
    }
  }
}
