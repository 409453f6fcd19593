// Boots on stock Xen with disks and networks, where Linux with Xen's toolstack is domain 0.

import Foundation
import Testing

@Suite struct BootToolstackTests {
  /// A machine, a disk, and files in the place of domain 0's.
  private func machine(_ body: String) throws -> FakeQemu {
    let qemu = try FakeQemu(
      "xen() { printf '(XEN) %s\\r\\n' \"$*\"; }; dom0() { printf '%s\\r\\n' \"$*\"; }\n" + body)
    let folder = qemu.file("domain0")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    for name in ["vmlinuz", "initramfs.cpio"] {
      try Data(name.utf8).write(to: URL(filePath: folder + "/" + name))
    }
    _ = try qemu.scratch.file("disk", [UInt8](repeating: 0, count: 4096))
    return qemu
  }

  private func boot(_ qemu: FakeQemu, _ options: [String] = []) throws -> Run {
    try qemu.boot(
      [
        "--hypervisor", "xen", "--xen", qemu.file("hypervisor"), "--control-domain",
        qemu.file("domain0"), "--disk", qemu.file("disk"),
      ] + options)
  }

  @Test func guestBesideLinux_isWhatIsShownAndJudged() throws {
    let qemu = try machine(
      """
      [ -f disk0 ] && grep -q 'memory=48' ramdisk0 && grep -q '^initramfs.cpio' ramdisk0 || exit 1
      xen hello; dom0 '(d1) Linux'; dom0 'xenograft: ready'
      printf 'one\\r\\ntwo\\n' >console
      dom0 'xenograft: ended: 0'; exec sleep 100
      """)
    let run = try boot(
      qemu,
      [
        "--memory", "48", "--expect", "^two$", "--net", "user,forward=10080:80", "--result",
        qemu.file("result"), "--log", qemu.file("log"),
      ])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.text == "one\ntwo\n" && run.errors.isEmpty)
    #expect(
      try qemu.text("log")
        .hasPrefix("(XEN) hello\ndomain0: (d1) Linux\ndomain0: xenograft: ready\n"))
    let data = try Data(contentsOf: URL(filePath: qemu.file("result")))
    let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect((result["seconds"] as? [String: Any])?["domain0"] is Double)
    #expect((result["domains"] as? [Any])?.count == 2)
    #expect(
      try qemu.arguments.contains { $0.hasPrefix("user,id=net0,hostfwd=tcp:127.0.0.1:10080") })
  }

  @Test(arguments: [
    ("dom0 'xenograft: ended: 3'", "crash", "domain 1 ended: crash"),
    ("dom0 'xenograft: refused: xl: no kernel'", "crash", "domain 1 ended: xl: no kernel"),
    ("dom0 'xenograft: failed: no module'", "crash", "domain 0 ended: no module"),
    (
      "dom0 'xenograft: ready'; xen 'Hardware Dom0 halted: halting machine'", "crash",
      "the machine ended without a word of domain 1's end"
    ),
    ("dom0 'xenograft: ended: 1'", "reboot", ""),
    ("dom0 'xenograft: ended: 2'", "suspended", ""),
  ])
  func end_isJudged(body: String, verdict: String, reason: String) throws {
    let qemu = try machine(body + "; exec sleep 100")
    let run = try boot(qemu, ["--format", "json"])
    #expect(run.status == (verdict == "crash" ? 1 : 0))
    let result = try qemu.result(run)
    #expect(result["verdict"] as? String == verdict)
    let told = (result["crash"] as? [String: Any])?["reason"] as? String
    #expect(told?.hasPrefix(reason) ?? reason.isEmpty, "\(told ?? "nothing")")
  }

  @Test func crashWithRegisters_isTheGuests() throws {
    let qemu = try machine(
      """
      xen 'Domain 1 (vcpu#0) crashed on cpu#1:'; xen 'RIP:    e033:[<0000000000100010>]'
      dom0 'xenograft: ended: 3'; exec sleep 100
      """)
    let crash = try #require(
      try qemu.result(boot(qemu, ["--format", "json"]))["crash"] as? [String: Any])
    #expect(crash["rip"] as? String == "0x100010")
  }

  /// The start of domain 0 is not the guest's time.
  @Test func time_beginsWithTheToolstack() throws {
    let late = try machine(
      "sleep 3; dom0 'xenograft: ready'; dom0 'xenograft: ended: 0'; exec sleep 100")
    #expect(try boot(late, ["--timeout", "2"]).status == 0)
    let silent = try machine("dom0 'xenograft: ready'; exec sleep 100")
    let run = try boot(silent, ["--timeout", "1"])
    #expect(run.status == 1 && run.errors.contains("still running"))
  }

  @Test func missingFiles_areNamed() throws {
    let qemu = try machine("echo never")
    try FileManager.default.removeItem(atPath: qemu.file("domain0/vmlinuz"))
    let run = try boot(qemu)
    #expect(run.status == 2 && run.errors.contains("initramfs.cpio"))
  }

  @Test(arguments: [["--domains", "2"], ["--weight", "3"], ["--beside", "x"]])
  func whatNeedsRootstock_isToldSo(options: [String]) throws {
    let run = try boot(try machine("echo never"), options)
    #expect(run.status == 2 && run.errors.contains("expected --hypervisor rootstock"))
  }
}
