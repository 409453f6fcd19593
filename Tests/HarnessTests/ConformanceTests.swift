// Some conformance guests through the library on stock Xen, and on Rootstock, against the lines that
// Xen was seen to print. XENOGRAFT_TEST_XEN and XENOGRAFT_TEST_ROOTSTOCK name the images; .ci/guests
// runs every guest through the command.

import Foundation
import Synchronization
import Testing

@testable import Harness

@Suite(.serialized) struct ConformanceTests {
  private static let checkout = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private static let guests = checkout.appending(path: "Tests/Guests")
  private static let output = checkout.appending(path: ".build/guests-for-tests")
  private static let environment = ProcessInfo.processInfo.environment
  private static let hasQemu = (environment["PATH"] ?? "").split(separator: ":").contains {
    FileManager.default.isExecutableFile(atPath: "\($0)/\(QemuCommand.executable)")
  }

  /// One of each kind of end, of trap and of event: `.ci/guests` runs all of them through the command.
  static let names = [
    "console-typed", "event-upcall", "hello", "page-faults", "ramdisk", "shutdown-crash",
    "shutdown-reboot", "traps-user",
  ]

  /// All guests, built once with the toolchain's clang.
  private static let isBuilt: Bool = {
    let make = Process()
    make.executableURL = URL(filePath: "/usr/bin/env")
    make.arguments = ["make", "-s", "-C", guests.path, "OUTPUT=\(output.path)"]
    guard (try? make.run()) != nil else { return false }
    make.waitUntilExit()
    return make.terminationStatus == 0
  }()

  private func check(_ name: String, on hypervisor: HypervisorKind, image: String?) async throws {
    try #require(Self.isBuilt)
    let folder = Self.guests.appending(path: name)
    var request = BootRequest(kernel: Self.output.appending(path: name).path)
    request.hypervisor = hypervisor
    request.hypervisorImage = image
    request.acceleration = .tcg
    try apply(folder.appending(path: "boot.args"), to: &request)
    let input = FileHandle(forReadingAtPath: folder.appending(path: "input.txt").path)
    request.input = input.map { GuestInput(descriptor: $0.fileDescriptor) }
    let console = Mutex<[UInt8]>([])
    let result = try await GuestBoot.run(request) { output in
      if case .guest(let bytes) = output { console.withLock { $0 += bytes } }
    }
    try? input?.close()
    let text = String(decoding: console.withLock { $0 }, as: UTF8.self)
    let found = text + "verdict: \(result.verdict.rawValue)\n"
    let expected = try String(
      contentsOf: folder.appending(path: "expected.txt"), encoding: .utf8)
    #expect(found == expected)
  }

  /// Options that a guest needs, as `.ci/guests` gives them to the command.
  private func apply(_ file: URL, to request: inout BootRequest) throws {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return }
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    for (name, value) in zip(words, words.dropFirst()) where name.hasPrefix("--") {
      switch name {
      case "--initrd": request.initrd = Self.checkout.appending(path: value).path
      case "--cmdline": request.commandLine = value
      case "--vcpus": request.vcpus = try #require(Int(value))
      case "--memory": request.memory = try #require(Int(value))
      case "--timeout": request.timeout = .seconds(try #require(Int(value)))
      default: Issue.record("\(file.path): \(name) is not known here")
      }
    }
  }

  @Test(
    .enabled(
      if: environment["XENOGRAFT_TEST_XEN"] != nil && hasQemu,
      "needs qemu-system-x86_64 and a Xen image in XENOGRAFT_TEST_XEN"),
    .timeLimit(.minutes(2)), arguments: names)
  func guestOnXen_printsWhatWasRecorded(name: String) async throws {
    try await check(name, on: .xen, image: Self.environment["XENOGRAFT_TEST_XEN"])
  }

  @Test(
    .enabled(
      if: environment["XENOGRAFT_TEST_ROOTSTOCK"] != nil && hasQemu,
      "needs qemu-system-x86_64 and Rootstock's image in XENOGRAFT_TEST_ROOTSTOCK"),
    .timeLimit(.minutes(2)), arguments: names)
  func guestOnRootstock_printsWhatXenPrints(name: String) async throws {
    try await check(name, on: .rootstock, image: Self.environment["XENOGRAFT_TEST_ROOTSTOCK"])
  }
}
