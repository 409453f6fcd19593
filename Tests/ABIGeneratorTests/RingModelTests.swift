// The rings of C, Rust and Swift against each other, with a model and with a hostile other end.
// Fixtures/ring-driver.c tells what is tested; here it is built, with sanitizers, and run.

import Foundation
import Testing

@testable import ABIGenerator

@Suite(
  .enabled(if: TestABI.isPresent, "there is no abi/ folder beside Package.swift"),
  .enabled(if: Tool.clang.isPresent && Tool.swiftc.isPresent, "clang or swiftc is not installed"))
struct RingModelTests {
  static let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
  /// Steps for each of nine pairs, and for each language alone.
  static let steps = 2_000_000

  @Test(.timeLimit(.minutes(10)))
  func rings_allPairs_keepTheModelAndResistAHostileEnd() throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    let generator = Generator(abi: abi)
    try scratch.write(generator.generate(.c), under: "c")
    try scratch.write(generator.generate(.swift), under: "swift")
    let hasRust = Tool.rustc.isPresent
    try build(
      .clang,
      ["-g", "-O1", "-Wall", "-Wextra", "-Werror", "-Ic", "-c"]
        + (hasRust ? ["-DHAVE_RUST"] : []) + Self.sanitizers
        + ["\(TestABI.fixtures)/ring-driver.c", "\(TestABI.fixtures)/ring-glue.c"], scratch)
    let swiftFiles = try FileManager.default.contentsOfDirectory(
      atPath: scratch.path + "/swift/XenABI/Generated"
    ).sorted().map { "swift/XenABI/Generated/" + $0 }
    try build(
      .swiftc,
      [
        "-swift-version", "6", "-enable-experimental-feature", "Embedded", "-wmo", "-O",
        "-parse-as-library", "-sanitize=address", "-module-name", "Glue", "-module-cache-path",
        "cache", "-I", "swift/CXenABI/include", "-c", "-o", "glue-swift.o",
      ] + swiftFiles + ["\(TestABI.fixtures)/ring-glue.swift"], scratch)
    var objects = ["ring-driver.o", "ring-glue.o", "glue-swift.o"]
    if hasRust {
      try scratch.write(generator.generate(.rust), under: "rust")
      try build(
        .rustc,
        [
          "--crate-type", "rlib", "--crate-name", "xenabi", "--edition", "2021", "-O", "-o",
          "libxenabi.rlib", "rust/src/lib.rs",
        ], scratch)
      try build(
        .rustc,
        [
          "--crate-type", "staticlib", "--edition", "2021", "-O", "-C", "overflow-checks=on", "-C",
          "debug-assertions=on", "-C", "panic=abort", "--extern", "xenabi=libxenabi.rlib", "-o",
          "libglue_rust.a", "\(TestABI.fixtures)/ring-glue.rs",
        ], scratch)
      objects.append("libglue_rust.a")
    } else {
      print("SKIP: the rings of Rust, because rustc is not installed")
    }
    let linker = hasLinker(scratch) ? ["-fuse-ld=lld"] : []
    try build(
      .clang,
      linker + Self.sanitizers + ["-o", "driver"] + objects + ["-lpthread", "-ldl", "-lm"], scratch)
    let outcome = try Shell.run(
      scratch.path + "/driver", [String(Self.steps)], in: scratch.path, seconds: 400)
    print(outcome.output)
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(outcome.output.hasSuffix("ok\n"))
  }

  private func build(_ tool: Tool, _ arguments: [String], _ scratch: Scratch) throws {
    let outcome = try Shell.run(tool, arguments, in: scratch.path)
    try #require(outcome.status == 0, "\(tool.rawValue): \(outcome.output)")
  }

  private func hasLinker(_ scratch: Scratch) -> Bool {
    let outcome = try? Shell.run(.clang, ["-fuse-ld=lld", "-Wl,--version"], in: scratch.path)
    return outcome?.status == 0
  }
}
