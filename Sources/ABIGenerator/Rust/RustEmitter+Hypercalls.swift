// Hypercall wrappers in Rust: inline assembly that calls a slot of the hypercall page.

import ABISchema

extension RustEmitter {
  func hypercallModule() -> String {
    var out = TextBuilder()
    out.line("// \(generator.origin(nil))")
    out.line(
      "//! One function a hypercall. The kernel defines `hypercall_page`, 4096 bytes that the")
    out.line("//! loader fills. A negative result is an error of errno.")
    out.line("#[allow(unused_imports)]")
    out.line("use crate::*;")
    out.line("use core::arch::asm;")
    out.line()
    out.line("extern \"C\" {")
    out.line("    static hypercall_page: [u8; 4096];")
    out.line("}")
    for hypercall in abi.hypercalls where hypercall.hasWrapper && !hypercall.numberOnly {
      for architecture in generator.architectures where hypercall.number[architecture] != nil {
        function(hypercall, architecture, into: &out)
      }
    }
    return out.text
  }

  private func words(_ argument: HypercallArgument, _ architecture: Architecture) -> [String] {
    let name = Self.safe(argument.name)
    switch generator.resolved(argument.type) {
    case .integer(64, _) where architecture == .x86_32:
      return ["\(name) as usize", "((\(name) as u64) >> 32) as usize"]
    case .aligned64:
      return architecture == .x86_32
        ? ["\(name).0 as usize", "(\(name).0 >> 32) as usize"] : ["\(name).0 as usize"]
    default: return ["\(name) as usize"]
    }
  }

  private func function(
    _ hypercall: Hypercall, _ architecture: Architecture, into out: inout TextBuilder
  ) {
    let arguments = hypercall.arguments.filter {
      $0.architecture == nil || $0.architecture == architecture
    }
    let registers: [String] =
      architecture == .x86_64
      ? ["rdi", "rsi", "rdx", "r10", "r8", "r9"] : ["ebx", "ecx", "edx", "esi", "edi"]
    let words = arguments.flatMap { self.words($0, architecture) }
    guard words.count <= registers.count else { return }
    out.line()
    for line in Prose.wrap(Self.docs(hypercall.entry.doc), width: 92) { out.line("/// \(line)") }
    out.line("///")
    out.line("/// # Safety")
    out.line("/// The hypercall page is filled, and pointers lead to what the hypervisor expects.")
    let before = hypercall.before.map { Prose.wrap(Self.docs($0), width: 92) } ?? []
    for line in before { out.line("/// \(line)") }
    out.line("#[cfg(\(Self.condition(architecture)))]")
    out.line("#[inline]")
    let parameters = arguments.map { "\(Self.safe($0.name)): \(spell($0.type))" }
    out.line(
      "pub unsafe fn \(Self.safe(hypercall.entry.name))(\(parameters.joined(separator: ", "))) -> isize {"
    )
    out.indented { out in
      let number = hypercall.number[architecture] ?? 0
      out.line("let result: isize;")
      // LLVM keeps esi for itself on x86_32, so its value is exchanged around the call.
      let usesESI = architecture == .x86_32 && words.count > 3
      out.line("asm!(")
      out.indented { out in
        if usesESI { out.line("\"xchg esi, {fourth}\",") }
        out.line("\"call {page} + {slot}\",")
        if usesESI { out.line("\"mov esi, {fourth}\",") }
        out.line("page = sym hypercall_page,")
        out.line("slot = const \(number) * 32,")
        for (index, word) in words.enumerated() {
          if usesESI, index == 3 {
            out.line("fourth = inout(reg) \(word) => _,")
          } else {
            out.line("inout(\"\(registers[index])\") \(word) => _,")
          }
        }
        out.line(
          architecture == .x86_64
            ? "lateout(\"rax\") result, out(\"rcx\") _, out(\"r11\") _,"
            : "lateout(\"eax\") result,")
      }
      out.line(");")
      out.line("result")
    }
    out.line("}")
  }

  func typedRings() -> String {
    var out = TextBuilder()
    out.line("// \(generator.origin(nil))")
    out.line("//! The rings of the interface, each with its own types.")
    out.line("#[allow(unused_imports)]")
    out.line("use crate::ring::{BackRing, FrontRing, Plain};")
    out.line("#[allow(unused_imports)]")
    out.line("use crate::*;")
    var plain: Set<String> = []
    for ring in abi.rings {
      out.line()
      for name in [ring.request, ring.response] where plain.insert(name).inserted {
        guard abi.structure(name) != nil else { continue }
        out.line("// SAFETY: numbers only, so that any bytes are a value.")
        out.line("unsafe impl Plain for \(name) {}")
      }
      let name = Self.camelCase(ring.entry.name)
      for line in Prose.wrap(Self.docs(ring.entry.doc), width: 92) { out.line("/// \(line)") }
      out.line("pub type \(name)FrontRing = FrontRing<\(ring.request), \(ring.response)>;")
      out.line("/// The other end of it.")
      out.line("pub type \(name)BackRing = BackRing<\(ring.request), \(ring.response)>;")
    }
    return out.text
  }

  static func camelCase(_ name: String) -> String {
    name.split { $0 == "_" || $0 == "-" || $0 == "." || $0 == " " }
      .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
}
