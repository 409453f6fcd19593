// `xenograft generate` as a user calls it.

import Foundation
import Testing

@Suite struct GenerateTests {
  private func scratch() throws -> URL {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "xenograft-generate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  @Test func list_namesKindsLanguagesAndSystems() throws {
    let run = try Command.run(["generate", "--list"])
    #expect(run.status == 0)
    for word in [
      "kernel", "console", "block", "net", "xenbus", "bare", "linux-like", "bsd-like", "xv6-like",
      "minimal", "devices", "webserver",
    ] {
      #expect(run.text.contains("  \(word) "), "\(word)")
    }
  }

  @Test func kernel_isWritten_andNotTwice() throws {
    let folder = try scratch()
    defer { try? FileManager.default.removeItem(at: folder) }
    let output = folder.appending(path: "k").path
    let first = try Command.run(["generate", "kernel", "--output", output, "--name", "mine"])
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.text == "")
    let makefile = try String(contentsOfFile: output + "/Makefile", encoding: .utf8)
    #expect(makefile.contains("NAME      := mine\n"))
    #expect(FileManager.default.fileExists(atPath: output + "/include/xenabi.h"))

    let second = try Command.run(["generate", "kernel", "--output", output])
    #expect(second.status == 2)
    #expect(second.errors.contains("--force"))
    let forced = try Command.run(["generate", "kernel", "--output", output, "--force"])
    #expect(forced.status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["k"])
  }

  @Test(arguments: [
    (["kernel"], "--output"),
    (["--output", "x"], "kernel, console, block, net, xenbus"),
    (["disk", "--output", "x"], "kernel, console, block, net, xenbus"),
    (
      ["block", "--language", "rust", "--os", "bsd-like", "--output", "x"],
      "expected bare for rust, found bsd-like"
    ),
    (
      ["block", "--language", "swift", "--os", "linux-like", "--output", "x"],
      "expected bare for swift, found linux-like"
    ),
    (["kernel", "--language", "ada", "--output", "x"], "found ada"),
    (
      ["block", "--language", "rust", "--arch", "x86_32", "--output", "x"],
      "expected x86_64 for rust, found x86_32"
    ),
    (["net", "--os", "minix", "--output", "x"], "bare, linux-like, bsd-like, xv6-like"),
    (["kernel", "--os", "bare", "--output", "x"], "--os"),
    (["kernel", "--template", "games", "--output", "x"], "minimal, devices, webserver"),
    (["block", "--template", "webserver", "--output", "x"], "--template"),
    (["kernel", "--template", "webserver", "--language", "rust", "--output", "x"], "expected c"),
    (["kernel", "--name", "a b", "--output", "x"], "--name"),
    (["kernel", "--output", "/proc/none/x"], "/proc/none/x"),
  ])
  func badUsage_endsWith2_andSaysWhatThereIs(arguments: [String], text: String) throws {
    let folder = try scratch()
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try Command.run(["generate"] + arguments, in: folder)
    #expect(run.status == 2)
    #expect(run.errors.contains(text), "\(run.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }
}
