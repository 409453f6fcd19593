// `xenograft abi` and `xenograft inspect` as a user runs them: exit codes, messages, files.

import Foundation
import Testing

struct AbiTests {
  @Test func check_ofThisCheckout_isCurrent() throws {
    let run = try Command.run("abi check")
    #expect(run.status == 0, "\(run.text)\(run.errors)")
  }

  @Test(arguments: [
    ("abi show grant_table_op", "GNTTABOP_map_grant_ref"), ("abi find 17", "xen_version"),
    ("abi list", "hypercall"), ("abi show start_info", "nr_pages"),
  ])
  func lookUp_findsWhatIsAskedFor(line: String, expected: String) throws {
    let run = try Command.run(line)
    #expect(run.status == 0 && run.text.contains(expected))
  }

  @Test(arguments: [
    ("abi show grant_table_ops", "grant_table_op"),
    ("abi show nothing_like_this", "nothing_like_this"),
    ("abi verify Package.swift", "Package.swift"),
    ("abi verify /nonexistent/file", "/nonexistent/file"),
    ("abi generate --language cobol --output x", "cobol"),
    ("abi generate --language c", "--output"),
    ("inspect Package.swift", "Package.swift"),
    ("inspect /nonexistent/kernel", "/nonexistent/kernel"),
  ])
  func fault_endsWith2_andNamesIt(line: String, named: String) throws {
    let run = try Command.run(line)
    #expect(run.status == 2, "\(line): \(run.errors)")
    #expect(run.errors.contains(named), "\(line): \(run.errors)")
  }

  @Test(arguments: ["c", "rust", "swift", "asm", "json", "markdown"])
  func generate_writesTheSameFilesEveryTime(language: String) throws {
    let scratch = try Scratch()
    var listings: [[String: Data]] = []
    for name in ["one", "two"] {
      let folder = scratch.url.appending(path: name)
      let run = try Command.run([
        "abi", "generate", "--language", language, "--output", folder.path,
      ])
      #expect(run.status == 0, "\(run.errors)")
      var files: [String: Data] = [:]
      let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      for path in paths {
        files[path] = try? Data(contentsOf: folder.appending(path: path))
      }
      #expect(!files.isEmpty)
      listings.append(files)
    }
    #expect(listings[0] == listings[1])
  }

  @Test func check_ofBrokenData_endsWith2_andSaysWhere() throws {
    let scratch = try Scratch()
    let copy = scratch.url.appending(path: "checkout")
    try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Command.checkout.appending(path: "abi"), to: copy.appending(path: "abi"))
    try Data("// swift-tools-version: 6.2\n".utf8).write(to: copy.appending(path: "Package.swift"))
    let file = copy.appending(path: "abi/time.yaml")
    let text = try String(contentsOf: file, encoding: .utf8)
    try text.replacing("type: u32", with: "type: u33", maxReplacements: 1)
      .write(to: file, atomically: true, encoding: .utf8)
    let run = try Command.run(["abi", "check"], in: copy)
    #expect(run.status == 2, "\(run.text)\(run.errors)")
    #expect(
      run.errors.contains(/time\.yaml:\d+:\d+/) && run.errors.contains("u33"), "\(run.errors)")
  }
}
