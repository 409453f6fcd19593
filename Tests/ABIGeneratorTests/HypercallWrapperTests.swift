// The wrappers put every argument into the register of the hypercall convention and call the right
// slot: they run against a page that records what arrives (Fixtures/page-64.S and page-32.S).

import ABISchema
import Foundation
import Testing

@testable import ABIGenerator

@Suite(.enabled(if: TestABI.isPresent, "there is no abi/ folder beside Package.swift"))
struct HypercallWrapperTests {
  /// One call: its arguments as texts, and the words that must arrive.
  struct Call {
    var hypercall: Hypercall
    var number: Int128
    var values: [UInt64]
    var types: [HypercallArgument]
    var words: [UInt64]
  }

  private func calls(_ abi: ABI, _ architecture: Architecture) -> [Call] {
    let generator = Generator(abi: abi)
    let mask: UInt64 = architecture == .x86_64 ? .max : 0xFFFF_FFFF
    var found: [Call] = []
    for hypercall in abi.hypercalls where hypercall.hasWrapper && !hypercall.numberOnly {
      guard let number = hypercall.number[architecture] else { continue }
      let arguments = hypercall.arguments.filter {
        $0.architecture == nil || $0.architecture == architecture
      }
      var call = Call(
        hypercall: hypercall, number: number, values: [], types: arguments, words: [])
      for (index, argument) in arguments.enumerated() {
        // Positive in every type, and different in every half.
        let base = 0x0123_4567_089A_BC01 &+ UInt64(index) &* 0x0101_0101_0101_0101
        var value = base & mask
        var isWide = false
        switch generator.resolved(argument.type) {
        case .integer(let bits, _):
          value = bits == 64 ? base : base & ((1 << UInt64(bits - 1)) - 1)
          isWide = bits == 64
        case .aligned64:
          value = base
          isWide = true
        default: break
        }
        call.values.append(value)
        call.words.append(value & mask)
        if isWide, architecture == .x86_32 { call.words.append(value >> 32) }
      }
      if call.words.count <= 5 { found.append(call) }
    }
    return found
  }

  @Test(.enabled(if: Tool.gcc.isPresent, "gcc is not installed"), arguments: Architecture.allCases)
  func wrappersInC_registers_areThoseOfTheConvention(_ architecture: Architecture) throws {
    let abi = try #require(TestABI.abi)
    let bits = architecture == .x86_64 ? "64" : "32"
    let scratch = try Scratch()
    try scratch.write("int main(void) { return 0; }\n", to: "probe.c")
    let probe = try Shell.run(
      .gcc, ["-m\(bits)", "-no-pie", "-o", "probe", "probe.c"], in: scratch.path)
    guard probe.status == 0,
      try Shell.run(scratch.path + "/probe", [], in: scratch.path).status == 0
    else { try Test.cancel("this machine cannot link or run -m\(bits) (gcc-multilib)") }
    try scratch.write(Generator(abi: abi).generate(.c), under: "c")
    var text = """
      #include "xenabi.h"
      #include <stdio.h>
      extern unsigned long captured[8];
      static int faults;
      static void check(const char *name, int i, unsigned long found, unsigned long expected)
      {
          if (found != expected) {
              printf("%s word %d: expected %lx, found %lx\\n", name, i, expected, found);
              faults++;
          }
      }
      int main(void)
      {

      """
    let all = calls(abi, architecture)
    for call in all {
      let name = call.hypercall.entry.name
      let emitter = CEmitter(generator: Generator(abi: abi))
      let arguments = zip(call.values, call.types).map { value, argument in
        let type = emitter.declare(argument.type, "").trimmedEnd
        return "(\(type))\(value)u" + (value > 0xFFFF_FFFF ? "ll" : "")
      }
      text += "    check(\"\(name)\", 9, (unsigned long)HYPERVISOR_\(name)("
      text += arguments.joined(separator: ", ") + "), -7ul);\n"
      text += "    check(\"\(name)\", 0, captured[0], \(call.number));\n"
      for (index, word) in call.words.enumerated() {
        text += "    check(\"\(name)\", \(index + 1), captured[\(index + 1)], \(word)ul);\n"
      }
    }
    text += "    return faults != 0;\n}\n"
    try scratch.write(text, to: "main.c")
    for compiler in [Tool.gcc, .clang] where compiler.isPresent {
      for optimization in ["-O0", "-O2"] {
        let built = try Shell.run(
          compiler,
          [
            "-std=c17", "-m\(bits)", optimization, "-no-pie", "-mno-red-zone", "-fno-pic", "-Ic",
            "-o", "main", "main.c", "\(TestABI.fixtures)/page-\(bits).S",
          ], in: scratch.path)
        try #require(built.status == 0, "\(compiler.rawValue): \(built.output)")
        let outcome = try Shell.run(scratch.path + "/main", [], in: scratch.path, seconds: 20)
        #expect(outcome.status == 0, "\(compiler.rawValue) \(optimization): \(outcome.output)")
      }
    }
    print("\(all.count) wrappers called on \(architecture.rawValue)")
    #expect(all.count >= 20)
  }

  @Test(
    .enabled(
      if: Tool.rustc.isPresent && Tool.gcc.isPresent,
      "rustc 1.77 or later, or gcc, is not installed"))
  func wrappersInRust_registers_areThoseOfTheConvention() throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    try scratch.write(Generator(abi: abi).generate(.rust), under: "rust")
    let emitter = RustEmitter(generator: Generator(abi: abi))
    var text = """
      #![allow(unused_imports)]
      use xenabi::*;
      extern "C" { static captured: [u64; 8]; }
      fn check(name: &str, i: usize, found: u64, expected: u64, faults: &mut u32) {
          if found != expected {
              println!("{name} word {i}: expected {expected:x}, found {found:x}");
              *faults += 1;
          }
      }
      fn main() {
          let mut faults = 0;
          unsafe {

      """
    for call in calls(abi, .x86_64) {
      let name = call.hypercall.entry.name
      let arguments = zip(call.values, call.types).map { value, argument in
        "\(value)u64 as \(emitter.spell(argument.type))"
      }
      text +=
        "let r = hypercall::\(RustEmitter.safe(name))(\(arguments.joined(separator: ", ")));\n"
      text += "check(\"\(name)\", 9, r as u64, -7i64 as u64, &mut faults);\n"
      text += "check(\"\(name)\", 0, captured[0], \(call.number), &mut faults);\n"
      for (index, word) in call.words.enumerated() {
        text += "check(\"\(name)\", \(index + 1), captured[\(index + 1)], \(word), &mut faults);\n"
      }
    }
    text += "}\nstd::process::exit((faults != 0) as i32);\n}\n"
    try scratch.write(text, to: "main.rs")
    let steps: [(Tool, [String])] = [
      (.gcc, ["-c", "-o", "page.o", "\(TestABI.fixtures)/page-64.S"]),
      (
        .rustc,
        [
          "--crate-type", "rlib", "--crate-name", "xenabi", "--edition", "2021", "-O", "-C",
          "no-redzone", "-C", "relocation-model=static", "-o", "libxenabi.rlib", "rust/src/lib.rs",
        ]
      ),
      (
        .rustc,
        [
          "--edition", "2021", "-O", "-C", "no-redzone", "-C", "relocation-model=static", "-C",
          "link-arg=page.o", "--extern", "xenabi=libxenabi.rlib", "-o", "main", "main.rs",
        ]
      ),
    ]
    for (tool, arguments) in steps {
      let outcome = try Shell.run(tool, arguments, in: scratch.path)
      try #require(outcome.status == 0, "\(outcome.output)")
    }
    let outcome = try Shell.run(scratch.path + "/main", [], in: scratch.path, seconds: 20)
    #expect(outcome.status == 0, "\(outcome.output)")
  }
}
