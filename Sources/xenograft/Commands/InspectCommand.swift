// `xenograft inspect`: how loaders see a kernel.

import ABIGenerator
import ABISchema
import ArgumentParser
import Foundation
import ImageInspection
import KernelImage

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show how loaders see a kernel: boot protocols, notes, memory, and every fault.",
    discussion: """
      Examples:

        xenograft inspect vmlinux
        xenograft inspect --memory 64 --format json kernel.elf

      Exit codes: 0, some protocol boots the image; 1, none does; 2, the file cannot be read.
      """)

  @Argument(help: "An ELF kernel, a Linux bzImage or a multiboot image.", completion: .file())
  var image: String

  @Option(help: "text or json.")
  var format = "text"

  @Option(help: ArgumentHelp("The domain's memory, for the layout.", valueName: "MiB"))
  var memory: UInt64 = 256

  @Option(
    help: ArgumentHelp("A ramdisk, whose size the layout takes in.", valueName: "file"),
    completion: .file())
  var initrd: String?

  @OptionGroup var source: AbiDataOptions

  func run() throws {
    guard ["text", "json"].contains(format) else {
      throw AbiSupport.fail("--format", expected: "text or json", found: "`\(format)`")
    }
    guard (1...(1 << 24)).contains(memory) else {
      throw AbiSupport.fail("--memory", expected: "1 to 16777216 MiB", found: "\(memory)")
    }
    let options = InspectionOptions(memory: memory << 20, ramdisk: try ramdiskSize())
    let abi = try source.load()
    let inspection: Inspection
    do throws(ImageError) {
      inspection = try Inspector(abi).inspect(BootFile.open(path: image), options: options)
    } catch {
      throw CommandFailure(error)
    }
    print(format == "json" ? inspection.json.text() : inspection.text, terminator: "")
    if !inspection.boots { throw CommandFailure.badVerdict }
  }

  private func ramdiskSize() throws -> UInt64 {
    guard let initrd else { return 0 }
    let values = try? FileManager.default.attributesOfItem(atPath: initrd)
    guard values?[.type] as? FileAttributeType == .typeRegular,
      let size = values?[.size] as? NSNumber
    else {
      throw AbiSupport.fail(initrd, expected: "a regular file", found: "none that can be read")
    }
    return size.uint64Value
  }
}
