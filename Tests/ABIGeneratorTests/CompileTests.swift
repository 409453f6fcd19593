// Everything generated compiles without a warning, in every language and dialect that it is for.

import ABISchema
import Foundation
import Testing

@testable import ABIGenerator

@Suite(.enabled(if: TestABI.isPresent, "there is no abi/ folder beside Package.swift"))
struct CompileTests {
  struct Dialect: Sendable, CustomStringConvertible {
    var compiler: Tool
    var language: String
    var standard: String
    var bits: Int
    var description: String { "\(compiler.rawValue) \(standard) -m\(bits)" }
  }

  static let dialects: [Dialect] = [Tool.clang, .gcc].flatMap { compiler in
    [("c", "c99"), ("c", "c17"), ("c++", "c++17")].flatMap { language, standard in
      [64, 32].map {
        Dialect(compiler: compiler, language: language, standard: standard, bits: $0)
      }
    }
  }

  static let strict = ["-Wall", "-Wextra", "-Wpedantic", "-ffreestanding", "-Werror"]

  @Test(arguments: dialects)
  func headers_everyDialect_compileWithoutWarning(_ dialect: Dialect) throws {
    guard dialect.compiler.isPresent else {
      try Test.cancel("\(dialect.compiler.rawValue) is not installed")
    }
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    try scratch.write(Generator(abi: abi).generate(.c), under: "c")
    // Each header alone as well: none may lean on what another includes.
    var text = "#include \"xenabi.h\"\n"
    let suffix = dialect.language == "c" ? "c" : "cc"
    try scratch.write(text, to: "all.\(suffix)")
    var sources = ["all.\(suffix)"]
    for subject in abi.subjects {
      text = "#include \"xenabi/\(subject.name).h\"\nextern int unit_has_a_declaration;\n"
      sources.append("one-\(subject.name).\(suffix)")
      try scratch.write(text, to: sources[sources.count - 1])
    }
    let outcome = try Shell.run(
      dialect.compiler,
      ["-x", dialect.language, "-std=\(dialect.standard)", "-m\(dialect.bits)", "-Ic"]
        + Self.strict + ["-fsyntax-only"] + sources, in: scratch.path)
    #expect(outcome.status == 0, "\(outcome.output)")
  }

  @Test(arguments: Architecture.allCases)
  func headers_oneArchitecture_compileThereAndRefuseTheOther(_ architecture: Architecture) throws {
    guard Tool.clang.isPresent else { try Test.cancel("clang is not installed") }
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    try scratch.write(Generator(abi: abi, architectures: [architecture]).generate(.c), under: "c")
    try scratch.write("#include \"xenabi.h\"\n", to: "all.c")
    for bits in [64, 32] {
      let outcome = try Shell.run(
        .clang, ["-std=c17", "-m\(bits)", "-Ic"] + Self.strict + ["-fsyntax-only", "all.c"],
        in: scratch.path)
      let fits = (bits == 64) == (architecture == .x86_64)
      #expect((outcome.status == 0) == fits, "\(outcome.output)")
    }
  }

  @Test(.enabled(if: Tool.rustc.isPresent, "rustc 1.77 or later is not installed"))
  func rust_crate_compilesWithWarningsDenied() throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    try scratch.write(Generator(abi: abi).generate(.rust), under: "rust")
    let outcome = try Shell.run(
      .rustc,
      [
        "--crate-type", "rlib", "--crate-name", "xenabi", "--edition", "2021", "-D", "warnings",
        "-o", "libxenabi.rlib", "rust/src/lib.rs",
      ], in: scratch.path)
    #expect(outcome.status == 0, "\(outcome.output)")
  }

  @Test(.enabled(if: Tool.swiftc.isPresent, "swiftc is not installed"), arguments: [false, true])
  func swift_module_compilesWithoutWarning(isEmbedded: Bool) throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    try scratch.write(Generator(abi: abi).generate(.swift), under: "swift")
    let sources = try FileManager.default.contentsOfDirectory(
      atPath: scratch.path + "/swift/XenABI/Generated"
    ).sorted().map { "swift/XenABI/Generated/" + $0 }
    let mode =
      isEmbedded
      ? [
        "-target", "x86_64-unknown-none-elf", "-enable-experimental-feature", "Embedded",
        "-Xcc", "-ffreestanding", "-Xcc", "-mno-red-zone",
      ] : []
    let outcome = try Shell.run(
      .swiftc,
      mode + [
        "-swift-version", "6", "-wmo", "-parse-as-library", "-warnings-as-errors",
        "-enable-upcoming-feature", "InternalImportsByDefault", "-module-name", "XenABI",
        "-I", "swift/CXenABI/include", "-module-cache-path", "cache", "-c", "-o", "XenABI.o",
      ] + sources, in: scratch.path)
    #expect(outcome.status == 0, "\(outcome.output)")
  }

  @Test(arguments: Architecture.allCases)
  func assembler_offsets_assemble(_ architecture: Architecture) throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    try scratch.write(Generator(abi: abi).generate(.asm), under: "asm")
    try scratch.write(Generator(abi: abi).generate(.c), under: "c")
    let name = architecture.rawValue
    let bits = architecture == .x86_64 ? "64" : "32"
    try scratch.write(
      ".include \"asm/xenabi-\(name).s.inc\"\n.long start_info_SIZE\n", to: "gas.s")
    try scratch.write(
      "%include \"asm/xenabi-\(name).nasm.inc\"\n dd start_info_SIZE\n", to: "nasm.asm")
    try scratch.write(
      "#include \"xenabi.h\"\n.long __HYPERVISOR_sched_op\n", to: "constants.S")
    if Tool.assembler.isPresent {
      let outcome = try Shell.run(
        .assembler, ["--\(bits)", "--fatal-warnings", "-o", "gas.o", "gas.s"], in: scratch.path)
      #expect(outcome.status == 0, "\(outcome.output)")
    }
    if Tool.gcc.isPresent {
      let outcome = try Shell.run(
        .gcc, ["-m\(bits)", "-Wall", "-Werror", "-Ic", "-c", "-o", "constants.o", "constants.S"],
        in: scratch.path)
      #expect(outcome.status == 0, "\(outcome.output)")
    }
    guard Tool.nasm.isPresent else { try Test.cancel("nasm is not installed") }
    let outcome = try Shell.run(
      .nasm, ["-felf\(bits)", "-Werror", "-w+all", "-o", "nasm.o", "nasm.asm"], in: scratch.path)
    #expect(outcome.status == 0, "\(outcome.output)")
  }

  @Test func generate_twice_isTheSame() throws {
    let abi = try #require(TestABI.abi)
    let again = try #require(ABILoader.load(folder: TestABI.folder, display: "abi").abi)
    for language in OutputLanguage.allCases {
      #expect(Generator(abi: abi).generate(language) == Generator(abi: again).generate(language))
    }
  }

  @Test func json_wholeModel_isOneDocument() throws {
    let abi = try #require(TestABI.abi)
    let text = try #require(Generator(abi: abi).generate(.json).first?.text)
    let parsed = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(parsed?["schema"] as? String == "xenograft.abi/1")
    #expect((parsed?["subjects"] as? [Any])?.count == abi.subjects.count)
  }
}
