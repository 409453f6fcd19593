// Audits built in code for the renderers' tests: a small one whose names are as hostile as a symbol
// table can make them. LargeFixture.swift has one with the shape of a kernel.

import Audit

/// Audits to render.
enum Fixture {
  /// Function names that break out of whatever they are printed into, if they can.
  static let hostileNames = [
    "</script><script>document.title='owned'</script>",
    "quote\"and\\backslash",
    "line\u{2028}separator\r\nand\tbreak",
    "\u{1B}[31mred\u{7}",
    "=HYPERLINK(\"evil\",\"x\"),@SUM(1)",
    "right\u{202E}to-left",
    "::error file=x::no",
    "` | **bold** <b>&amp;</b> |",
    "%0A%25",
    "\u{1F980}\u{E000}",
  ]

  static let rules: [String: Rule] = {
    let list = [
      rule(
        "mov-to-cr3", .privileged, .priv, .replace, title: "Write of CR3 (page-table base)",
        why: "A guest that is not in ring 0 faults. The hypervisor owns CR3: it checks every page "
          + "table before the processor may use it.",
        replacement: "HYPERVISOR_mmuext_op(MMUEXT_NEW_BASEPTR)"),
      rule(
        "popf", .sensitive, .sens, .silent, title: "Load of the flags from the stack",
        why: "Outside ring 0 the interrupt flag stays as it is and nothing faults.",
        replacement: "the vcpu's event mask, evtchn_upcall_mask"),
      rule(
        "out", .io, .io, .emulated, title: "Output to a port",
        why: "The hypervisor checks the port and carries the access out.",
        replacement: "a frontend driver, or PHYSDEVOP_set_iobitmap"),
      rule(
        "syscall", .transfer, .xfer, .native, title: "System call",
        why: "The hypervisor bounces it into the guest.", replacement: nil),
      rule(
        "vmlaunch", .virtualization, .vmx, .unreachable, title: "Launch of a virtual machine",
        why: "CPUID hides VMX, so that the code is never reached.", replacement: nil),
    ]
    return Dictionary(uniqueKeysWithValues: list.map { ($0.id, $0) })
  }()

  private static func rule(
    _ id: String, _ ruleClass: RuleClass, _ kind: RuleKind, _ disposition: Disposition,
    title: String, why: String, replacement: String?
  ) -> Rule {
    let outcome = RuleOutcome(disposition: disposition, why: why, replacement: replacement)
    return Rule(
      id: id, title: title, ruleClass: ruleClass, kind: kind,
      summary: "\(title), on the bare machine.", source: "The manual, chapter 1",
      guide: "guides/audit-rules.md#\(id)", outcomes: [.pv64: outcome], encodings: [])
  }

  /// A finding of one of ``rules``.
  static func finding(_ address: UInt64, _ id: String, section: String = ".text") -> Finding {
    let texts: [String: (bytes: [UInt8], text: String)] = [
      "mov-to-cr3": ([0x0F, 0x22, 0xD8], "mov cr3, rax"), "popf": ([0x9D], "popfq"),
      "out": ([0xE6, 0x80], "out 0x80, al"), "syscall": ([0x0F, 0x05], "syscall"),
      "vmlaunch": ([0x0F, 0x01, 0xC2], "vmlaunch"),
    ]
    let text = texts[id] ?? (bytes: [0xF4], text: "hlt")
    let rule = rules[id]
    let outcome = rule?.outcomes[.pv64]
    return Finding(
      address: address, section: section, sectionIndex: 1, bytes: text.bytes,
      instruction: text.text, rule: id, ruleClass: rule?.ruleClass ?? .privileged,
      disposition: outcome?.disposition ?? .replace, replacement: outcome?.replacement,
      guide: rule?.guide ?? "guides/audit-rules.md#\(id)")
  }

  static func image(_ path: String, _ findings: [Finding]) -> ImageResult {
    var scanned = ScanTotals()
    scanned.bytes = 15_168_498
    scanned.instructions = 6_662_949
    scanned.undecodable = 1
    scanned.undecodableAt = [
      Undecodable(
        section: ".head.text", address: 0xffff_ffff_8100_0123, bytes: [0xEA, 0x2D, 0x01],
        function: "pvh_start_xen")
    ]
    scanned.traps = ["ud2": 7727, "int3": 3_880_000]
    return ImageResult(
      path: path, format: "elf64", bits: 64, buildID: "5f3a0c",
      sha256: String(repeating: "ab", count: 32), scanned: scanned, findings: findings,
      remarks: ["no symbol table; function names come from kallsyms"])
  }

  /// One finding of each kind, and one for each hostile name.
  static let small: AuditResult = {
    var findings: [Finding] = []
    let base: UInt64 = 0xffff_ffff_8104_f2a0

    var cr3 = finding(base, "mov-to-cr3")
    cr3.function = "switch_mm_irqs_off"
    cr3.offset = 0x114
    cr3.file = "arch/x86/mm/tlb.c"
    cr3.line = 590
    cr3.inlined = [
      Frame(
        function: "native_write_cr3", file: "arch/x86/include/asm/special_insns.h", line: 48),
      Frame(function: "load_new_mm_cr3", file: "arch/x86/mm/tlb.c", line: 280),
    ]
    cr3.context = [.initCode, .paravirtSite]
    cr3.baselineState = .new
    cr3.executed = 12
    cr3.profile = .emulated
    cr3.fingerprint = "00000000000000aa"
    findings.append(cr3)

    var popf = finding(base + 0x10, "popf")
    popf.function = "native_restore_fl"
    popf.offset = 1
    popf.baselineState = .known
    popf.executed = 1
    popf.profile = .silent
    popf.fingerprint = "00000000000000ab"
    findings.append(popf)

    var out = finding(base + 0x20, "out", section: ".altinstr_replacement")
    out.liveness = .featureGated
    out.executed = 0
    out.profile = .never
    out.context = [.alternative]
    out.sites = (0..<3).map {
      PatchSite(
        address: base + 0x1000 + UInt64($0), function: "io_delay_\($0)",
        file: "arch/x86/kernel/io_delay.c", line: 40 + $0, feature: "X86_FEATURE_SMAP")
    }
    out.fingerprint = "00000000000000ac"
    findings.append(out)

    var native = finding(base + 0x30, "popf", section: ".altinstr_replacement")
    native.liveness = .nativeOnly
    native.fingerprint = "00000000000000ad"
    findings.append(native)
    findings.append(finding(base + 0x40, "syscall", section: ".entry.text"))
    findings.append(finding(base + 0x50, "vmlaunch"))

    var quiet = finding(base + 0x60, "out")
    quiet.suppression = "The debug port, never on in \"production\""
    quiet.function = "debug_out"
    quiet.offset = 7
    quiet.file = "drivers/debug, port.c"
    quiet.line = 3
    findings.append(quiet)

    for (index, name) in hostileNames.enumerated() {
      var hostile = finding(base + 0x100 + UInt64(index), "mov-to-cr3")
      hostile.function = name
      hostile.offset = UInt64(index)
      hostile.file = "src/\(name).c"
      hostile.line = index + 1
      hostile.inlined = [Frame(function: name, file: nil, line: nil)]
      findings.append(hostile)
    }
    var image = Self.image("boot/vmlinux test", findings)
    image.fixed = ["00000000000000ff"]
    return AuditResult(target: .pv64, images: [image], rules: rules)
  }()
}
