// `xenograft inspect`: how loaders see a kernel image.

import ABIGenerator
import ArgumentParser
import BootInspection
import KernelImage

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show how loaders see a kernel: its boot protocols, its ELF notes, and every fault.",
    discussion: """
      Exit code 0: some protocol boots it; 1: none does; 2: the file cannot be read.
      EXAMPLE: xenograft inspect kernel.elf
      """)

  @Argument(help: "An ELF executable or a Linux bzImage.", completion: .file())
  var image: String

  @Option(help: "text or json.")
  var format = "text"

  @Option(help: "The domain's memory in MiB, for the layout.")
  var memory: UInt64 = 256

  @OptionGroup var source: AbiDataOptions

  func run() throws {
    guard ["text", "json"].contains(format) else {
      throw AbiSupport.fail("--format", expected: "text or json", found: "`\(format)`")
    }
    guard (1...1_048_576).contains(memory) else {
      throw AbiSupport.fail("--memory", expected: "1 to 1048576 MiB", found: "\(memory)")
    }
    let abi = try source.load()
    let report: BootReport
    do throws(ImageError) {
      report = try Inspector(abi, memory: memory << 20).inspect(path: image)
    } catch {
      throw CommandFailure(error)
    }
    // What is no image at all has no verdict to print.
    if report.format == "unknown", !report.boots {
      let found = report.verdicts.lazy.flatMap(\.findings).first?.found
      throw CommandFailure.input(
        "\(image): expected an ELF executable, a Linux bzImage or a multiboot image, found \(found ?? "neither")"
      )
    }
    print(format == "json" ? report.json.text() : report.text, terminator: "")
    if !report.boots { throw ExitCode(1) }
  }
}
