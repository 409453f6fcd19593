// Kernels in every language that there is: they compile without a word and boot.

import Foundation
import Harness
import Synchronization
import Testing

@testable import Scaffold

@Suite(.serialized) struct KernelTests {
  private static let environment = ProcessInfo.processInfo.environment

  static func has(_ tool: String) -> Bool {
    (environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)")
    }
  }

  private static let hasQemu = has("qemu-system-x86_64")

  static let languages = ScaffoldKind.kernel.languages

  /// C's and Swift's compilers come with the toolchain.
  private func needCompiler(_ language: ScaffoldLanguage) throws {
    if language == .rust, !Self.has("rustc") { try Test.cancel("no rustc here") }
  }

  @Test(arguments: languages)
  func kernel_compilesAsItComesOut(language: ScaffoldLanguage) throws {
    try needCompiler(language)
    let place = try Workplace()
    let project = try place.generate(
      ScaffoldRequest(kind: .kernel, language: language, name: "my-kernel2"))
    try place.build(project)
    let kernel = project.appending(path: "my-kernel2").path
    #expect(FileManager.default.fileExists(atPath: kernel))
  }

  @Test func kernelWithDevices_compilesAsItComesOut() throws {
    let place = try Workplace()
    let project = try place.generate(
      ScaffoldRequest(kind: .kernel, language: .c, name: "my-kernel3", template: .devices))
    try place.build(project)
    let kernel = project.appending(path: "my-kernel3").path
    #expect(FileManager.default.fileExists(atPath: kernel))
  }

  private func boot(
    _ language: ScaffoldLanguage, on hypervisor: HypervisorKind, image: String?,
    policy: TrapPolicy = .permissive
  ) async throws {
    try needCompiler(language)
    let place = try Workplace()
    let project = try place.generate(ScaffoldRequest(kind: .kernel, language: language))
    try place.build(project)
    var request = BootRequest(kernel: project.appending(path: "kernel").path)
    request.hypervisor = hypervisor
    request.hypervisorImage = image
    request.acceleration = .tcg
    request.policy = policy
    let console = Mutex<[UInt8]>([])
    let result = try await GuestBoot.run(request) { output in
      if case .guest(let bytes) = output { console.withLock { $0 += bytes } }
    }
    let lines = String(decoding: console.withLock { $0 }, as: UTF8.self)
    #expect(result.verdict == .poweroff, "\(lines)")
    for line in ["a page fault at 0x100000005008, handled", "a page mapped twice and unmapped"] {
      #expect(lines.contains(line), "\(lines)")
    }
    #expect(lines.contains("a tick of the timer after "), "\(lines)")
    #expect(lines.contains("good bye"), "\(lines)")
  }

  @Test(
    .enabled(
      if: environment["XENOGRAFT_TEST_ROOTSTOCK"] != nil && hasQemu,
      "needs qemu-system-x86_64 and Rootstock's image in XENOGRAFT_TEST_ROOTSTOCK"),
    .timeLimit(.minutes(2)), arguments: languages)
  func kernelOnRootstock_doesEverythingWithoutPrivilege(language: ScaffoldLanguage) async throws {
    let image = Self.environment["XENOGRAFT_TEST_ROOTSTOCK"]
    try await boot(language, on: .rootstock, image: image, policy: .strict)
  }

  @Test(
    .enabled(
      if: environment["XENOGRAFT_TEST_XEN"] != nil && hasQemu,
      "needs qemu-system-x86_64 and a Xen image in XENOGRAFT_TEST_XEN"),
    .timeLimit(.minutes(2)), arguments: languages)
  func kernelOnXen_doesTheSame(language: ScaffoldLanguage) async throws {
    try await boot(language, on: .xen, image: Self.environment["XENOGRAFT_TEST_XEN"])
  }
}
