// The inspector agrees with Xen's own loader: every image is started as domain 0 under QEMU, and the
// hypervisor's log says whether it took it.

import ABISchema
import BootInspection
import Foundation
import KernelImage
import Testing

@Suite(.serialized) struct XenVerdictTests {
  /// Xen itself, as an ELF file or compressed with gzip.
  static let xen = ProcessInfo.processInfo.environment["XENOGRAFT_TEST_XEN"]
  static let emulator = ["/usr/bin/qemu-system-x86_64", "/usr/local/bin/qemu-system-x86_64"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }
  /// Further images, separated by colons: Debian's Linux, GRUB's Xen images.
  static let others = ProcessInfo.processInfo.environment["XENOGRAFT_TEST_KERNELS"]

  enum Answer: String {
    case accepted
    case refused
    case silent
  }

  @Test(
    .enabled(if: xen != nil, "XENOGRAFT_TEST_XEN names no hypervisor"),
    .enabled(if: emulator != nil, "qemu-system-x86_64 is not installed"),
    .timeLimit(.minutes(30)))
  func inspect_everyImage_agreesWithXen() throws {
    let folder = NSTemporaryDirectory() + "/xenograft-inspect-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let abi = try #require(ABILoader.embedded().abi)
    let inspector = Inspector(abi, memory: 256 << 20)
    let hypervisor = try unpacked(try #require(Self.xen), folder)
    var compared = 0
    for image in BootCases.all {
      let path = folder + "/image"
      try Data(image.file).write(to: URL(fileURLWithPath: path))
      let (answer, log) = try start(path, under: hypervisor, folder)
      let report = inspector.inspect(ImageBytes(copying: image.file), path: image.name)
      compared += compare(report, answer, log)
    }
    for path in (Self.others ?? "").split(separator: ":").map(String.init) {
      let (answer, log) = try start(path, under: hypervisor, folder)
      compared += compare(try inspector.inspect(path: path), answer, log)
    }
    print("\(compared) images compared with Xen")
    #expect(compared >= 40)
  }

  private func compare(_ report: BootReport, _ answer: Answer, _ log: String) -> Int {
    let verdict = report.verdicts.first { $0.bootProtocol == .xenPV }
    let isAccepted = verdict?.isAccepted ?? false
    let tail = log.split(whereSeparator: \.isNewline).suffix(12).joined(separator: "\n")
    #expect(
      answer == (isAccepted ? .accepted : .refused),
      "\(report.path): the inspector says \(isAccepted), Xen \(answer.rawValue)\n\(tail)")
    return answer == .silent ? 0 : 1
  }

  private func unpacked(_ path: String, _ folder: String) throws -> String {
    guard path.hasSuffix(".gz") else { return path }
    let target = folder + "/xen"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "gunzip -c \"$0\" > \"$1\"", path, target]
    try process.run()
    process.waitUntilExit()
    return target
  }

  /// Starts the image as domain 0 until the log tells what became of it.
  private func start(
    _ image: String, under hypervisor: String, _ folder: String
  ) throws -> (Answer, String) {
    let log = folder + "/log"
    try? FileManager.default.removeItem(atPath: log)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.emulator ?? "")
    process.arguments = [
      "-nodefaults", "-display", "none", "-no-reboot", "-M",
      "pc,accel=tcg", "-cpu", "qemu64", "-m", "768", "-serial", "file:\(log)", "-kernel",
      hypervisor, "-append",
      "console=com1 com1=115200,8n1 dom0_mem=256M loglvl=all guest_loglvl=all noreboot", "-initrd",
      image,
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    var answer = Answer.silent
    var text = ""
    for _ in 0..<300 where answer == .silent {
      usleep(100_000)
      text =
        FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) } ?? ""
      // A kernel that was started may end in a panic of its own later.
      if text.contains("Serial input to DOM0") || text.contains("Scrubbing Free RAM") {
        answer = .accepted
      } else if text.contains("Could not construct d") || text.contains("Panic on CPU") {
        answer = .refused
      }
      if !process.isRunning { break }
    }
    // Threads of a test may pass on a mask that blocks gentler signals.
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    return (answer, text)
  }
}
