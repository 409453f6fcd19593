// Wrappers that call a slot of the hypercall page.

import ABISchema

extension CEmitter {
  func hypercallHeader() -> String {
    var out = TextBuilder()
    out.line("/* \(generator.origin(nil)) */")
    comment(
      "One function a hypercall. The kernel defines hypercall_page, 4096 bytes that the loader "
        + "fills; compile with -mno-red-zone, because the call pushes a return address. The "
        + "result is what the hypervisor returns: a negative number is an error of errno.",
      into: &out)
    out.line("#ifndef XENABI_HYPERCALL_WRAPPERS_H")
    out.line("#define XENABI_HYPERCALL_WRAPPERS_H")
    out.line()
    for subject in abi.subjects { out.line("#include \"xenabi/\(subject.name).h\"") }
    out.line()
    out.raw(Self.linkage)
    for hypercall in abi.hypercalls where hypercall.hasWrapper && !hypercall.numberOnly {
      wrapper(hypercall, into: &out)
    }
    out.line()
    out.line("#ifdef __cplusplus")
    out.line("}")
    out.line("#endif")
    out.line("#endif /* XENABI_HYPERCALL_WRAPPERS_H */")
    return out.text
  }

  private static let linkage = """
    #ifdef __cplusplus
    extern "C" {
    #endif

    extern char hypercall_page[4096];
    """

  private func wrapper(_ hypercall: Hypercall, into out: inout TextBuilder) {
    let covered = generator.architectures.filter { hypercall.number[$0] != nil }
    out.line()
    comment(
      hypercall.entry.doc + (hypercall.before.map { " Before: " + $0 } ?? "")
        + (hypercall.returns.map { " Returns: " + $0 } ?? ""),
      into: &out)
    for architecture in covered {
      out.line("#if \(Self.condition(architecture))")
      function(hypercall, architecture, into: &out)
      out.line("#endif")
    }
  }

  /// The words that an argument takes in registers: two for 64 bits on x86_32, low half first.
  private func words(_ argument: HypercallArgument, _ architecture: Architecture) -> [String] {
    let name = Self.safe(argument.name)
    switch generator.resolved(argument.type) {
    case .integer(64, _), .aligned64:
      if architecture == .x86_32 {
        return ["(unsigned long)\(name)", "(unsigned long)((uint64_t)\(name) >> 32)"]
      }
      return ["(unsigned long)\(name)"]
    default: return ["(unsigned long)\(name)"]
    }
  }

  private func function(
    _ hypercall: Hypercall, _ architecture: Architecture, into out: inout TextBuilder
  ) {
    let arguments = hypercall.arguments.filter {
      $0.architecture == nil || $0.architecture == architecture
    }
    let names: [String] =
      architecture == .x86_64
      ? ["rdi", "rsi", "rdx", "r10", "r8", "r9"] : ["ebx", "ecx", "edx", "esi", "edi"]
    let words = arguments.flatMap { self.words($0, architecture) }
    let name = "HYPERVISOR_\(hypercall.entry.name)"
    guard words.count <= names.count else {
      out.line("/* \(name) needs \(words.count) registers here and has no wrapper. */")
      return
    }
    let parameters = arguments.map { declare($0.type, Self.safe($0.name)) }
    out.line(
      "static inline long \(name)(\(parameters.isEmpty ? "void" : parameters.joined(separator: ", ")))"
    )
    out.line("{")
    out.indented { out in
      out.line("long xenabi_result;")
      for (index, word) in words.enumerated() {
        out.line(
          "register unsigned long xenabi_\(index + 1) __asm__(\"\(names[index])\") = \(word);")
      }
      let outputs =
        ["\"=a\"(xenabi_result)"] + words.indices.map { "\"+r\"(xenabi_\($0 + 1))" }
      let clobbers = architecture == .x86_64 ? "\"memory\", \"rcx\", \"r11\"" : "\"memory\""
      out.line("__asm__ volatile(\"call hypercall_page+%c[slot]\"")
      out.line("                 : \(outputs.joined(separator: ", "))")
      out.line("                 : [slot] \"i\"(__HYPERVISOR_\(hypercall.entry.name) * 32)")
      out.line("                 : \(clobbers));")
      out.line("return xenabi_result;")
    }
    out.line("}")
  }
}
