// Looks at one image as every loader would: Xen's for PV and PVH, multiboot's, and Linux's.

public import ABISchema
import Foundation
public import KernelImage

/// Inspects images.
public struct Inspector: Sendable {
  private let abi: ABI
  private let memory: UInt64

  /// Judges against `abi`, for a domain of `memory` bytes.
  public init(_ abi: ABI, memory: UInt64 = 256 << 20) {
    self.abi = abi
    self.memory = memory
  }

  /// Reads and inspects a file.
  public func inspect(path: String) throws(ImageError) -> BootReport {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      throw ImageError(
        .unreadable, path: path, expected: "a file that can be read",
        found: FileManager.default.fileExists(atPath: path) ? "one that cannot" : "no such file")
    }
    guard data.count <= 1 << 30 else {
      throw ImageError(
        .tooLarge, path: path, expected: "an image of at most 1 GiB", found: "\(data.count) bytes")
    }
    let bytes = ImageBytes(copying: data)
    // What Xen starts of a bzImage is the ELF file inside it.
    if Self.isBzImage(bytes) {
      let payload = try? KernelImage.unpack(path: path)
      return report(path: path, file: bytes, elf: payload, isBzImage: true)
    }
    return report(path: path, file: bytes, elf: bytes, isBzImage: false)
  }

  /// Inspects an image in memory.
  public func inspect(_ bytes: ImageBytes, path: String) -> BootReport {
    report(path: path, file: bytes, elf: bytes, isBzImage: false)
  }

  private static func isBzImage(_ bytes: ImageBytes) -> Bool {
    bytes.load(0x202, as: UInt32.self) == 0x5372_6448
      && bytes.load(0x1FE, as: UInt16.self) == 0xAA55
  }

  private func report(
    path: String, file: ImageBytes, elf bytes: ImageBytes?, isBzImage: Bool
  ) -> BootReport {
    var report = BootReport(
      path: path, format: isBzImage ? "bzImage" : "unknown", notes: [], verdicts: [], layout: [])
    if isBzImage {
      report.verdicts.append(
        BootVerdict(bootProtocol: .linux, isOffered: true, findings: [], entry: nil))
    }
    guard let bytes else { return report }
    do {
      let elf = try BootElf(bytes)
      if !isBzImage { report.format = elf.is64Bit ? "elf64" : "elf32" }
      judge(elf, fileSize: bytes.count, &report)
    } catch {
      report.verdicts.append(
        BootVerdict(
          bootProtocol: .xenPV, isOffered: false,
          findings: [
            BootFinding(
              .refused, "file", expected: error.expected, found: error.found,
              cure: "Xen starts ELF executables and Linux bzImages")
          ], entry: nil))
    }
    report.verdicts += MultibootJudge.verdicts(file)
    return report
  }

  private func judge(_ elf: BootElf, fileSize: Int, _ report: inout BootReport) {
    let notes = elf.notes.isEmpty ? GuestSection.notes(elf.guestSection) : elf.notes
    let parameters = XenParameters(notes, abi: abi)
    report.notes = parameters.decoded
    guard !notes.isEmpty else {
      report.verdicts.append(
        BootVerdict(
          bootProtocol: .xenPV, isOffered: false,
          findings: [
            BootFinding(
              .refused, "notes", expected: "ELF notes of owner \"Xen\"", found: "none",
              cure: "keep the section .note.Xen in the linker script and give it a NOTE segment")
          ], entry: nil))
      return
    }
    let pv = PVJudge(elf, parameters, fileSize: fileSize, memory: memory, abi: abi)
    report.verdicts.append(
      BootVerdict(
        bootProtocol: .xenPV, isOffered: true, findings: pv.findings, entry: pv.entry))
    report.layout = pv.layout
    guard let entry = parameters.physicalEntry else { return }
    report.verdicts.append(PVHJudge.verdict(elf, entry, fileSize: fileSize))
  }
}
