// `xenograft generate`: writes a kernel or a driver that compiles as it comes out.

import ABISchema
import ArgumentParser
import Foundation
import Scaffold

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Write a minimal kernel, or a frontend driver, that compiles as it comes out.",
    discussion: """
      Examples:

        xenograft generate kernel --language c --output mykernel
        make -C mykernel && xenograft boot mykernel/kernel
        xenograft generate kernel --template devices --output mykernel
        xenograft generate kernel --template webserver --output web
        xenograft generate block --os xv6-like --output xen-block
        xenograft generate net --language rust --output xen-net
        xenograft generate kernel --arch x86_32 --output mykernel
        xenograft generate --list
      """)

  @Argument(help: "kernel, console, block, net or xenbus.")
  var kind: String?

  @Option(help: "c, rust or swift; --list tells which there are for a kind.")
  var language = "c"

  @Option(
    help: ArgumentHelp("The folder to write, new or empty.", valueName: "folder"),
    completion: .directory)
  var output: String?

  @Option(help: "The project's name; by default kernel, or xen- and the kind.")
  var name: String?

  @Option(help: "The architecture: x86_64, or in C x86_32, for kernels of ring 1.")
  var arch = "x86_64"

  @Option(
    name: .customLong("os"),
    help: ArgumentHelp(
      "The system that a driver is for: bare, linux-like, bsd-like or xv6-like.",
      valueName: "preset"))
  var preset: String?

  @Option(help: "What a kernel does: minimal, devices or webserver.")
  var template: String?

  @Flag(help: "Print what can be generated.")
  var list = false

  @Flag(help: "Write into a folder that has files; those of the same names are replaced.")
  var force = false

  func run() throws {
    if list {
      try StandardOutput.write(Array(Self.listing.utf8))
      return
    }
    let request = try request()
    guard let output, !output.isEmpty else {
      throw CommandFailure.input("generate: expected --output and a folder, found none")
    }
    let folder = ScaffoldFolder(path: output)
    do throws(ScaffoldError) {
      try folder.check(force: force)
      let abi: ABI
      do { abi = try AbiSupport.load(folder: nil) } catch {
        throw .template("abi", "\(error)")
      }
      let files = try Scaffold(abi: abi).files(for: request)
      Interruption.willWrite(folder.temporary)
      defer { Interruption.didWrite(folder.temporary) }
      try folder.write(files, force: force)
      StandardError.write("wrote \(files.count) files to \(output); next: \(output)/README.md\n")
    } catch {
      throw CommandFailure.input(error.description)
    }
  }

  private func request() throws -> ScaffoldRequest {
    let kinds = ScaffoldKind.allCases.map(\.rawValue)
    guard let kind else {
      throw CommandFailure.input(
        "generate: expected \(kinds.joined(separator: ", ")), found nothing (or use --list)")
    }
    guard let kind = ScaffoldKind(rawValue: kind) else {
      throw CommandFailure.input(
        "generate: expected \(kinds.joined(separator: ", ")), found \(kind)")
    }
    guard let language = ScaffoldLanguage(rawValue: language.lowercased()) else {
      let known = kind.languages.map(\.rawValue).joined(separator: ", ")
      throw CommandFailure.input(
        "--language: expected \(known) for \(kind.rawValue), found \(language)")
    }
    guard let architecture = Architecture(rawValue: arch) else {
      throw CommandFailure.input("--arch: expected x86_64 or x86_32, found \(arch)")
    }
    let presets = ScaffoldPreset.allCases.map(\.rawValue).joined(separator: ", ")
    guard let preset = ScaffoldPreset(rawValue: preset ?? "bare") else {
      throw CommandFailure.input("--os: expected \(presets), found \(self.preset ?? "")")
    }
    guard kind != .kernel || self.preset == nil else {
      throw CommandFailure.input("--os: expected it with a driver, found it with kernel")
    }
    let templates = ScaffoldTemplate.allCases.map(\.rawValue).joined(separator: ", ")
    guard let template = ScaffoldTemplate(rawValue: template ?? "minimal") else {
      throw CommandFailure.input(
        "--template: expected \(templates), found \(self.template ?? "")")
    }
    guard kind == .kernel || self.template == nil else {
      throw CommandFailure.input(
        "--template: expected it with kernel, found it with \(kind.rawValue)")
    }
    return ScaffoldRequest(
      kind: kind, language: language, name: name, preset: preset, template: template,
      architecture: architecture)
  }

  private static var listing: String {
    var lines = ["kinds:"]
    func row(_ name: String, _ text: String) -> String {
      "  \(name.padding(toLength: 12, withPad: " ", startingAt: 0))\(text)"
    }
    for kind in ScaffoldKind.allCases {
      let languages = kind.languages.map(\.rawValue).joined(separator: ", ")
      lines.append(row(kind.rawValue, "\(kind.summary) [\(languages)]"))
    }
    lines += ["", "what a kernel does (--template):"]
    for template in ScaffoldTemplate.allCases {
      let languages = template.languages.map(\.rawValue).joined(separator: ", ")
      lines.append(row(template.rawValue, "\(template.summary) [\(languages)]"))
    }
    lines += ["", "systems that drivers are written for (--os):"]
    for preset in ScaffoldPreset.allCases { lines.append(row(preset.rawValue, preset.summary)) }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// What maintainers call; users have no need of it.
struct TemplatesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "templates", abstract: "The templates that this command carries.",
    shouldDisplay: false, subcommands: [Generate.self, Check.self])

  struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the source generated from templates/ and Sources/Frontends*/, in a checkout."
    )

    func run() throws {
      guard try !TemplatesCommand.bringUpToDate(write: true) else { return }
      StandardError.write("written: \(TemplateEmbedding.path)\n")
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Check that the source generated from templates/ and Sources/Frontends*/ is current."
    )

    func run() throws {
      guard try TemplatesCommand.bringUpToDate(write: false) else {
        throw CommandFailure(
          message: "stale: \(TemplateEmbedding.path); run xenograft templates generate",
          exitCode: 1)
      }
    }
  }

  fileprivate static func bringUpToDate(write: Bool) throws -> Bool {
    let root = URL(filePath: FileManager.default.currentDirectoryPath)
    do {
      return try TemplateEmbedding.bringUpToDate(checkout: root, write: write)
    } catch {
      throw CommandFailure.input(
        "templates: expected a checkout of Xenograft in this folder, found: \(error.localizedDescription)"
      )
    }
  }
}
