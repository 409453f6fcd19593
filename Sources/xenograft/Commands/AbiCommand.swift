// `xenograft abi`: looks into the interface, generates from it, and compares binaries with it.

import ABISchema
import ArgumentParser
import Foundation

struct AbiCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "abi",
    abstract: "The Xen PV interface: look it up, generate headers, check binaries against it.",
    discussion: """
      Examples:

        xenograft abi show grant_table_op
        xenograft abi find 17
        xenograft abi generate --language c --output include
        xenograft abi verify vmlinux
      """,
    subcommands: [
      AbiListCommand.self, AbiShowCommand.self, AbiFindCommand.self, AbiGenerateCommand.self,
      AbiVerifyCommand.self, AbiCheckCommand.self,
    ])
}

/// What the subcommands share: where the interface comes from, and how faults are told.
enum AbiSupport {
  /// The interface inside this program, or that of a folder of data files.
  static func load(folder: String?) throws -> ABI {
    if let folder { try expectData(in: folder) }
    let result = folder.map { ABILoader.load(folder: $0, display: $0) } ?? ABILoader.embedded()
    for diagnostic in result.diagnostics { printError(diagnostic.rendered) }
    guard let abi = result.abi else { throw ExitCode(2) }
    return abi
  }

  /// Throws where `folder` has no data files at all; faults in them are told with line and column.
  static func expectData(in folder: String) throws {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    guard let names else {
      throw fail(folder, expected: "a folder of .yaml files", found: "no folder")
    }
    guard names.contains(where: { $0.hasSuffix(".yaml") }) else {
      throw fail(folder, expected: "a folder of .yaml files", found: "no such file in it")
    }
  }

  static func printError(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Bad usage or bad input.
  static func fail(_ subject: String, expected: String, found: String) -> CommandFailure {
    .input("\(subject): expected \(expected), found \(found)")
  }

  /// Writes under a temporary name and renames, so that a file is whole or not there.
  static func write(_ text: String, to path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    let temporary = path + ".\(ProcessInfo.processInfo.processIdentifier).tmp"
    do {
      if !folder.isEmpty {
        try FileManager.default.createDirectory(
          atPath: folder, withIntermediateDirectories: true)
      }
      try Data(text.utf8).write(to: URL(fileURLWithPath: temporary))
    } catch {
      throw fail(path, expected: "a place that can be written", found: reason(error))
    }
    guard rename(temporary, path) == 0 else {
      let message = String(cString: strerror(errno))
      unlink(temporary)
      throw fail(path, expected: "a file that can be replaced", found: message)
    }
  }

  private static func reason(_ error: any Error) -> String {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    return underlying.map { String(cString: strerror(Int32($0.code))) } ?? "\(error)"
  }
}

/// Where the data comes from, for all subcommands that read it.
struct AbiDataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Read the data files of this folder, and not those that are part of the program.",
      valueName: "folder"), completion: .directory)
  var data: String?

  func load() throws -> ABI { try AbiSupport.load(folder: data) }
}
