// `abi verify`: the layouts in a binary's DWARF against the interface.

import ABIGenerator
import ABIVerifier
import ArgumentParser
import Foundation
import KernelImage

struct AbiVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compare the structures in an ELF file's DWARF with the interface.",
    discussion: """
      Examples:

        xenograft abi verify vmlinux
        xenograft abi verify --format json vmlinux

      Exit codes: 0, every structure that the file has matches; 1, one does not; 2, the file cannot be read.
      """)

  @Argument(help: "An ELF file for x86-64 or i386 that was compiled with -g.", completion: .file())
  var elf: String

  @Option(help: "text or json.")
  var format = "text"

  @OptionGroup var source: AbiDataOptions

  func run() throws {
    guard ["text", "json"].contains(format) else {
      throw AbiSupport.fail("--format", expected: "text or json", found: "`\(format)`")
    }
    let abi = try source.load()
    let report: LayoutReport
    do {
      report = try LayoutVerifier(abi).verify(path: elf)
    } catch {
      throw AbiSupport.fail(error.path, expected: error.expected, found: error.found)
    }
    print(format == "json" ? report.json.text() : report.text, terminator: "")
    if report.count(.mismatch) > 0 { throw ExitCode(1) }
  }
}
