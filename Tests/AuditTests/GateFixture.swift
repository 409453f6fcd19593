// Findings for the tests of the gate.

import Audit

enum GateFixture {
  static func finding(
    _ address: UInt64, rule: String = "mov-to-cr3", function: String? = "load_cr3",
    disposition: Disposition = .replace, section: String = ".text"
  ) -> Finding {
    var finding = Finding(
      address: address, section: section, sectionIndex: 1, bytes: [0x0F, 0x22, 0xD8],
      instruction: "mov cr3, rax", rule: rule, ruleClass: .privileged, disposition: disposition,
      replacement: nil, guide: "guides/audit-rules.md#\(rule)")
    finding.function = function
    return finding
  }

  static func result(_ findings: [Finding], path: String = "boot/vmlinux") -> AuditResult {
    var findings = findings
    Fingerprint.assign(to: &findings)
    let image = ImageResult(
      path: path, format: "elf64", bits: 64, buildID: nil, sha256: "", scanned: ScanTotals(),
      findings: findings, remarks: [])
    return AuditResult(target: .pv64, images: [image], rules: [:])
  }
}
