// Several domains in one run: whose end ends it, and what the verdict is.

import Foundation
import Testing

@Suite struct BootDomainsTests {
  /// The verdicts of the domains, by number.
  private func verdicts(_ result: [String: Any]) -> [String?] {
    (result["domains"] as? [[String: Any]] ?? []).map { $0["verdict"] as? String }
  }

  @Test func copiesThatAllPowerOff_areGood_andTheirLinesKeepTheirPrefix() throws {
    let qemu = try FakeQemu(
      """
      echo zero; printf '(d1) one\\r\\n(d2) rootstock: error: panic: no\\r\\n'
      say info: shutdown: domain=0 reason=poweroff
      sleep 4
      say info: shutdown: domain=2 reason=poweroff; say info: shutdown: domain=1 reason=poweroff
      """)
    let run = try qemu.boot(["--domains", "3", "--result", qemu.file("result")])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.text == "zero\n(d1) one\n(d2) rootstock: error: panic: no\n")
    #expect(
      try qemu.argument("-append")?.contains(
        "domain=kernel:0,memory:128 domain=kernel:0,memory:128,count:2 wait -- ") == true)
    #expect(try qemu.argument("-initrd") == "guest")
  }

  @Test func worstCopy_isTheVerdict() throws {
    let qemu = try FakeQemu(
      """
      say info: shutdown: domain=0 reason=poweroff
      say error: crash: domain=2 vcpu=0 mode=kernel reason=a trap
      say error: crash: rip=0x100010 rsp=0x2000
      say error: shutdown: domain=2 reason=crash; say info: shutdown: domain=1 reason=reboot
      """)
    let run = try qemu.boot(["--domains", "3", "--format", "json"])
    #expect(run.status == 1)
    let result = try qemu.result(run)
    #expect(result["verdict"] as? String == "crash")
    #expect(verdicts(result) == ["poweroff", "reboot", "crash"])
    #expect((result["crash"] as? [String: Any])?["reason"] as? String == "a trap")
    #expect(run.errors.contains("domain 2 (") && run.errors.contains("domain 1 ("))
  }

  @Test func copyThatReboots_isBad() throws {
    let qemu = try FakeQemu(
      "say info: shutdown: domain=1 reason=reboot; say info: shutdown: domain=0 reason=poweroff")
    let run = try qemu.boot(["--domains", "2", "--format", "json"])
    #expect(run.status == 1)
    #expect(try qemu.result(run)["verdict"] as? String == "reboot")
  }

  @Test func copyOfWhichNothingIsHeard_isACrash() throws {
    let qemu = try FakeQemu("say info: shutdown: domain=0 reason=poweroff")
    let run = try qemu.boot(["--domains", "2"])
    #expect(run.status == 1 && run.errors.contains("without a word of domain 1"))
  }

  @Test func copyThatStillRuns_isATimeout() throws {
    let qemu = try FakeQemu("say info: shutdown: domain=0 reason=poweroff; exec sleep 100")
    let run = try qemu.boot(["--domains", "2", "--timeout", "4", "--format", "json"])
    #expect(run.status == 1)
    #expect(try verdicts(qemu.result(run)) == ["poweroff", "timeout"])
  }

  @Test func guestBeside_judgesNothing() throws {
    let kernel = try #require(sampleKernel)
    let qemu = try FakeQemu(
      "say error: shutdown: domain=1 reason=crash; say info: shutdown: domain=0 reason=poweroff")
    let run = try qemu.boot(["--beside", "\(kernel),count=2", "--format", "json"])
    #expect(run.status == 0)
    let result = try qemu.result(run)
    #expect(result["verdict"] as? String == "poweroff")
    #expect(verdicts(result) == ["poweroff", "crash", nil])
    #expect(try qemu.argument("-append")?.contains(" wait ") == false)
  }

  @Test func guestsBeside_areWaitedFor_whereAskedSo() throws {
    let kernel = try #require(sampleKernel)
    let qemu = try FakeQemu(
      """
      say info: shutdown: domain=0 reason=poweroff; sleep 4
      say info: shutdown: domain=1 reason=poweroff
      """)
    let run = try qemu.boot(["--beside", kernel, "--wait", "--format", "json"])
    #expect(try verdicts(qemu.result(run)) == ["poweroff", "poweroff"])
    #expect(try qemu.argument("-append")?.contains(" wait ") == true)
  }

  @Test(arguments: [
    ["--hypervisor", "xen", "--domains", "2"], ["--hypervisor", "xen", "--beside", "x"],
    ["--hypervisor", "xen", "--weight", "1"], ["--domains", "0"], ["--beside", ",count=1"],
    ["--beside", "x,count=0"], ["--beside", "x,net"], ["--beside", "x,memory=lots"],
    ["--beside", "x,vcpus=1000"],
    ["--cpus", "0"], ["--weight", "0"], ["--beside", "/nonexistent/kernel"],
    ["--cmdline", String(repeating: "x", count: 1000)],
  ])
  func faultOfUsage_endsWith2_andNamesIt(options: [String]) throws {
    let run = try FakeQemu("echo never").boot(options)
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(
      run.errors.contains(options.dropLast().last ?? "") || run.errors.contains(options.last ?? ""))
  }
}
