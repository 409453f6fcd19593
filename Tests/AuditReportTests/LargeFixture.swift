// An audit as large as asked for, with the shape of a kernel's: the same on every run.

import Audit

extension Fixture {
  /// As many findings as asked for, spread over directories, functions and rules.
  static func large(_ count: Int) -> AuditResult {
    var random = Sequence(state: 42)
    let findings = (0..<count).map { index in
      var finding = kernelFinding(index, of: count, &random)
      let digits = String(index, radix: 16)
      finding.fingerprint = String(repeating: "0", count: 16 - digits.count) + digits
      return finding
    }
    return AuditResult(target: .pv64, images: [image("vmlinux-6.1.0", findings)], rules: rules)
  }

  /// Numbers that look random and are not.
  private struct Sequence {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
  }

  private static let directories = [
    "arch/x86/kernel", "arch/x86/mm", "arch/x86/entry", "arch/x86/kernel/cpu", "drivers/acpi",
    "drivers/char", "drivers/pci", "kernel/sched", "kernel/time", "lib", "drivers/tty/serial",
    "arch/x86/include/asm",
  ]
  private static let ruleNames = ["mov-to-cr3", "popf", "out", "syscall", "vmlaunch"]

  private static func kernelFinding(
    _ index: Int, of count: Int, _ random: inout Sequence
  ) -> Finding {
    let id = ruleNames[min(random.next(5), random.next(5))]
    let address = 0xffff_ffff_8100_0000 + UInt64(index) * 67
    var finding = Self.finding(address, id, section: index % 9 == 0 ? ".init.text" : ".text")
    let directory = directories[min(random.next(12), random.next(12))]
    if index % 11 == 0 {
      finding.section = ".altinstr_replacement"
      finding.context = [.alternative]
      finding.liveness = index % 2 == 0 ? .nativeOnly : .featureGated
      finding.sites = [
        PatchSite(
          address: address &- 4096, function: "patched_\(random.next(100))",
          file: "\(directory)/patched.c", line: 10 + random.next(100),
          feature: "not X86_FEATURE_XENPV")
      ]
      return finding
    }
    finding.function = "subsystem_function_\(random.next(count / 4 + 1))"
    finding.offset = UInt64(random.next(900))
    finding.file = "\(directory)/file_\(random.next(30)).c"
    finding.line = 1 + random.next(2000)
    if index % 3 == 0 {
      finding.inlined = [
        Frame(
          function: "native_helper_\(random.next(40))", file: "arch/x86/include/asm/paravirt.h",
          line: random.next(300)),
        Frame(
          function: "helper_\(random.next(40))", file: finding.file, line: random.next(2000)),
      ]
    }
    return finding
  }
}
