// The examples that `abi show` and the manual print compile as they stand.

import ABISchema
import Foundation
import Testing

@testable import ABIGenerator

@Suite(.enabled(if: TestABI.isPresent, "there is no abi/ folder beside Package.swift"))
struct ExampleTests {
  private func all(_ abi: ABI, _ language: OutputLanguage) -> [[String]] {
    let examples = Examples(abi: abi)
    var found: [Examples.Example] = []
    for hypercall in abi.hypercalls {
      found += examples.hypercall(hypercall)
      for operation in hypercall.operations {
        found += examples.operation(operation, of: hypercall)
      }
    }
    for structure in abi.structures where structure.exists(on: .x86_64) {
      found += examples.structure(structure)
    }
    return found.filter { $0.language == language }.map(\.lines)
  }

  @Test(.enabled(if: Tool.clang.isPresent, "clang is not installed"))
  func examples_inC_compile() throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    try scratch.write(Generator(abi: abi).generate(.c), under: "c")
    var text = "#include \"xenabi.h\"\n"
    for (index, lines) in all(abi, .c).enumerated() {
      text += "void example_\(index)(void)\n{\n" + lines.joined(separator: "\n") + "\n}\n"
    }
    try scratch.write(text, to: "examples.c")
    let outcome = try Shell.run(
      .clang, ["-std=c17", "-Wno-unused", "-Ic", "-fsyntax-only", "-Werror", "examples.c"],
      in: scratch.path)
    #expect(outcome.status == 0, "\(outcome.output)")
  }

  @Test(.enabled(if: Tool.rustc.isPresent, "rustc 1.77 or later is not installed"))
  func examples_inRust_compile() throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    try scratch.write(Generator(abi: abi).generate(.rust), under: "rust")
    let crate = try Shell.run(
      .rustc,
      [
        "--crate-type", "rlib", "--crate-name", "xenabi", "--edition", "2021", "-o",
        "libxenabi.rlib", "rust/src/lib.rs",
      ], in: scratch.path)
    try #require(crate.status == 0, "\(crate.output)")
    var text = "#![no_std]\n#![allow(unused)]\n"
    for (index, lines) in all(abi, .rust).enumerated() {
      text += "pub fn example_\(index)() {\n" + lines.joined(separator: "\n") + "\n}\n"
    }
    try scratch.write(text, to: "examples.rs")
    let outcome = try Shell.run(
      .rustc,
      [
        "--crate-type", "rlib", "--edition", "2021", "-D", "warnings", "--extern",
        "xenabi=libxenabi.rlib", "-o", "libexamples.rlib", "examples.rs",
      ], in: scratch.path)
    #expect(outcome.status == 0, "\(outcome.output)")
  }

  @Test(.enabled(if: Tool.swiftc.isPresent, "swiftc is not installed"))
  func examples_inSwift_compile() throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    try scratch.write(Generator(abi: abi).generate(.swift), under: "swift")
    var text = "import CXenABI\n"
    for (index, lines) in all(abi, .swift).enumerated() {
      text += "func example\(index)() {\n" + lines.joined(separator: "\n") + "\n}\n"
    }
    try scratch.write(text, to: "examples.swift")
    let outcome = try Shell.run(
      .swiftc,
      [
        "-swift-version", "6", "-I", "swift/CXenABI/include", "-module-cache-path", "cache",
        "-suppress-warnings", "-typecheck", "-parse-as-library", "examples.swift",
      ], in: scratch.path)
    #expect(outcome.status == 0, "\(outcome.output.prefix(4000))")
  }
}
