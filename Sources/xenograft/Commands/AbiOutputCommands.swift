// `abi generate` and `abi check`: files out of the interface.

import ABIGenerator
import ABISchema
import ArgumentParser
import Foundation

struct AbiGenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Write headers, modules or the manual.",
    discussion: """
      Example:

        xenograft abi generate --language rust --arch x86_64 --output xenabi
      """)

  @Option(help: "c, rust, swift, asm, json or markdown.")
  var language: String

  @Option(help: "x86_64 or x86_32; both unless given.")
  var arch: String?

  @Option(
    help: ArgumentHelp("The folder to write into.", valueName: "folder"), completion: .directory)
  var output: String

  @OptionGroup var source: AbiDataOptions

  func run() throws {
    guard let language = OutputLanguage(rawValue: language.lowercased()) else {
      throw AbiSupport.fail(
        "--language",
        expected: OutputLanguage.allCases.map(\.rawValue).joined(separator: ", "),
        found: "`\(language)`")
    }
    var architectures = Architecture.allCases
    if let arch {
      guard let only = Architecture(rawValue: arch) else {
        throw AbiSupport.fail("--arch", expected: "x86_64 or x86_32", found: "`\(arch)`")
      }
      architectures = [only]
    }
    let generator = Generator(abi: try source.load(), architectures: architectures)
    let files = generator.generate(language)
    for file in files { try AbiSupport.write(file.text, to: output + "/" + file.path) }
    AbiSupport.printError("wrote \(files.count) files to \(output)")
  }
}

struct AbiCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check abi/ and that the repository's generated files are what it gives.",
    discussion: """
      Examples:

        xenograft abi check
        xenograft abi check --write

      Exit codes: 0, current; 1, a generated file is stale (the list is printed); 2, the data has a fault.
      """)

  @Option(
    help: ArgumentHelp(
      "The repository; found from here upwards unless given.", valueName: "folder"),
    completion: .directory)
  var root: String?

  @Flag(help: "Write the files that are stale.")
  var write = false

  func run() throws {
    let root = try repository()
    try AbiSupport.expectData(in: root + "/abi")
    let (sources, faults) = ABILoader.read(folder: root + "/abi", display: "abi")
    let result = ABILoader.load(sources)
    let diagnostics = faults + (sources.isEmpty ? [] : result.diagnostics)
    for diagnostic in diagnostics { AbiSupport.printError(diagnostic.rendered) }
    guard faults.isEmpty, let abi = result.abi else {
      let count = diagnostics.count { $0.severity == .error }
      AbiSupport.printError("abi: \(count) errors")
      throw ExitCode(2)
    }
    let files = RepositoryFiles.files(abi: abi, sources: sources)
    let stale = files.filter { file in
      FileManager.default.contents(atPath: root + "/" + file.path) != Data(file.text.utf8)
    }
    let extra = leftovers(root, Set(files.map(\.path)))
    if write {
      for file in stale { try AbiSupport.write(file.text, to: root + "/" + file.path) }
      for path in extra { try? FileManager.default.removeItem(atPath: root + "/" + path) }
      print("\(files.count) files, \(stale.count) written, \(extra.count) removed")
      return
    }
    for file in stale { print("stale: \(file.path)") }
    for path in extra { print("not generated any more: \(path)") }
    guard stale.isEmpty, extra.isEmpty else {
      AbiSupport.printError("run `xenograft abi check --write` and commit what it changes")
      throw ExitCode(1)
    }
    print("\(files.count) files are current")
  }

  /// Files in folders that hold nothing but generated ones.
  private func leftovers(_ root: String, _ known: Set<String>) -> [String] {
    RepositoryFiles.ownedFolders.flatMap { folder in
      (FileManager.default.enumerator(atPath: root + "/" + folder)?.compactMap { $0 as? String }
        ?? [])
        .map { folder + "/" + $0 }
        .filter { path in
          var isFolder: ObjCBool = false
          let exists = FileManager.default.fileExists(
            atPath: root + "/" + path, isDirectory: &isFolder)
          return exists && !isFolder.boolValue && !known.contains(path)
        }
    }.sorted()
  }

  private func repository() throws -> String {
    if let root { return root }
    var folder = FileManager.default.currentDirectoryPath
    for _ in 0..<64 {
      let manager = FileManager.default
      if manager.fileExists(atPath: folder + "/abi"),
        manager.fileExists(atPath: folder + "/Package.swift")
      {
        return folder
      }
      if folder == "/" || folder.isEmpty { break }
      folder = (folder as NSString).deletingLastPathComponent
    }
    throw AbiSupport.fail(
      "abi check", expected: "a checkout of Xenograft at or above this folder (or --root)",
      found: "no folder with abi/ and Package.swift")
  }
}
