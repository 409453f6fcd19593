// `xenograft unpack`: the kernel inside a bzImage, for other tools to read.

import ArgumentParser
import KernelImage

struct UnpackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpack",
    abstract: "Write the ELF file that a Linux bzImage carries compressed.",
    discussion: """
      Example:

        xenograft unpack --output vmlinux /boot/vmlinuz

      Exit codes: 0; 2, the image is no bzImage or cannot be unpacked.
      """)

  @Argument(help: "The bzImage.", completion: .file())
  var image: String

  @Option(help: .value("file", "Where to write the ELF file."), completion: .file())
  var output: String

  func run() throws {
    try OutputFile.check(output)
    let bytes: ImageBytes
    do throws(ImageError) {
      bytes = try KernelImage.unpack(path: image)
    } catch {
      throw CommandFailure(error)
    }
    try withExtendedLifetime(bytes) { try OutputFile.write(bytes.buffer, to: output) }
  }
}
