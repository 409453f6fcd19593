// Runs the C compiler over a probe. Only its syntax check is used: comparisons are static asserts,
// so no object is written, nothing is linked, and no 32-bit C library is needed.

import ABISchema
import Foundation

/// A C compiler that knows both architectures.
struct HeaderCompiler {
  let path: String

  /// The one that `XENOGRAFT_CC` names, else clang, else gcc; `nil` where none can do both.
  static let found: HeaderCompiler? = {
    let environment = ProcessInfo.processInfo.environment
    let names = environment["XENOGRAFT_CC"].map { [$0] } ?? ["clang", "gcc"]
    let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    for name in names {
      let candidates = name.contains("/") ? [name] : folders.map { $0 + "/" + name }
      for path in candidates where FileManager.default.isExecutableFile(atPath: path) {
        let compiler = HeaderCompiler(path: path)
        if Architecture.allCases.allSatisfy(compiler.understands) { return compiler }
      }
    }
    return nil
  }()

  static let skipReason = "no C compiler that accepts -m64 and -m32 (clang, or gcc)"

  /// What a run gave.
  struct Outcome {
    var succeeded: Bool
    var output: String
    /// Lines of the compiler that report an error, without the file's name.
    var errors: [String]
  }

  private func understands(_ architecture: Architecture) -> Bool {
    let probe =
      "#include <stdint.h>\n_Static_assert(sizeof(void *) == \(architecture.wordSize), \"\");\n"
    return (try? check(probe, architecture).succeeded) ?? false
  }

  /// Compiles `source` and reports what the compiler says.
  func check(_ source: String, _ architecture: Architecture) throws -> Outcome {
    let (status, _, errors) = try run(["-fsyntax-only"], source, architecture)
    let reported = errors.split(separator: "\n").filter { $0.contains("error:") }.map { line in
      line.range(of: "error: ").map { String(line[$0.upperBound...]) } ?? String(line)
    }
    return Outcome(succeeded: status == 0, output: errors, errors: reported)
  }

  /// Preprocesses `source`: the text with line markers, definitions of macros included.
  func preprocess(_ source: String, _ architecture: Architecture) throws -> String {
    try run(["-E", "-dD"], source, architecture).output
  }

  private func run(
    _ mode: [String], _ source: String, _ architecture: Architecture
  ) throws -> (status: Int32, output: String, errors: String) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "xenograft-headers-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("probe.c")
    try Data(source.utf8).write(to: file)
    // Answers go to files: a pipe that nobody reads while the compiler writes would block it.
    let output = folder.appendingPathComponent("output")
    let errors = folder.appendingPathComponent("errors")
    for place in [output, errors] { try Data().write(to: place) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments =
      mode + [
        architecture == .x86_64 ? "-m64" : "-m32", "-std=gnu11", "-ffreestanding", "-w",
        path.hasSuffix("gcc") ? "-fmax-errors=0" : "-ferror-limit=0",
        "-I", XenHeaders.includeFolder, file.path,
      ]
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    let deadline = DispatchTime.now() + 120
    DispatchQueue.global().asyncAfter(deadline: deadline) { [process] in
      if process.isRunning { process.terminate() }
    }
    process.waitUntilExit()
    return (
      process.terminationStatus, String(decoding: try Data(contentsOf: output), as: UTF8.self),
      String(decoding: try Data(contentsOf: errors), as: UTF8.self)
    )
  }
}
