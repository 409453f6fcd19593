// Boots with disks and networks, where the control domain is domain 0 and the guest domain 1.

import Foundation
import Testing

@Suite struct BootDeviceTests {
  /// A machine, a disk in a file, and a file in the control domain's place.
  private func machine(_ body: String) throws -> FakeQemu {
    let qemu = try FakeQemu(body)
    _ = try qemu.scratch.file("disk,1", [UInt8](repeating: 0, count: 4096))
    let kernel = try #require(sampleKernel)
    try FileManager.default.copyItem(atPath: kernel, toPath: qemu.file("control"))
    return qemu
  }

  private func options(_ qemu: FakeQemu) -> [String] {
    ["--control-domain", qemu.file("control"), "--disk", qemu.file("disk,1") + ",ro,name=xvdc"]
  }

  @Test func guestBehindTheControlDomain_isWhatIsShownAndJudged() throws {
    let qemu = try machine(
      """
      [ -f disk0 ] || exit 1
      printf 'controldomain: serves\\r\\n(d1) hello\\r\\n'
      say info: shutdown: domain=1 reason=poweroff
      say info: shutdown: domain=0 reason=poweroff
      """)
    let run = try qemu.boot(
      options(qemu) + [
        "--net", "user,forward=10080:80", "--cmdline", "a -- b", "--expect", "^hello$",
        "--result", qemu.file("result"),
      ])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.text == "hello\n")
    let line = try qemu.argument("-append")
    #expect(
      line?.contains("domain=kernel:0,memory:64,exempt:1 domain=kernel:2,arguments:1") == true)
    #expect(line?.hasSuffix(" -- vbd=1:xvdc:0:r vif=1:0:00:16:3e:00:00:01 until=1") == true)
    #expect(
      try qemu.arguments.contains { $0.hasPrefix("user,id=net0,hostfwd=tcp:127.0.0.1:10080") })
    #expect(try qemu.arguments.contains { $0.hasSuffix("file=disk0,format=raw,read-only=on") })
    let data = try Data(contentsOf: URL(filePath: qemu.file("result")))
    let result = try #require(
      try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect((result["seconds"] as? [String: Any])?["domain0"] is Double)
    #expect((result["domains"] as? [Any])?.count == 2)
  }

  @Test func guestThatCrashes_isBad_whateverDomain0Says() throws {
    let qemu = try machine(
      """
      say error: crash: domain=1 vcpu=0 mode=kernel reason=a trap
      say error: shutdown: domain=1 reason=crash; say info: shutdown: domain=0 reason=poweroff
      """)
    let run = try qemu.boot(options(qemu) + ["--format", "json"])
    #expect(run.status == 1)
    let result = try qemu.result(run)
    #expect(result["verdict"] as? String == "crash")
    #expect((result["crash"] as? [String: Any])?["reason"] as? String == "a trap")
  }

  @Test func controlDomainThatCrashes_isNamed() throws {
    let qemu = try machine(
      """
      say error: crash: domain=0 vcpu=0 mode=kernel reason=no handler
      say error: shutdown: domain=0 reason=crash
      """)
    let run = try qemu.boot(options(qemu) + ["--format", "json"])
    #expect(run.status == 1)
    #expect((try qemu.result(run)["crash"] as? [String: Any])?["reason"] as? String == "no handler")
  }

  @Test func withoutDevices_thereIsNoControlDomain() throws {
    let qemu = try machine("say info: shutdown: domain=0 reason=poweroff")
    let run = try qemu.boot(["--net", "none"])
    #expect(run.status == 0)
    #expect(try qemu.argument("-initrd") == "guest")
  }

  @Test(arguments: [
    ["--disk", "/nonexistent/disk"], ["--disk", ",ro"], ["--net", "tap"],
    ["--net", "user,forward=80"], ["--net", "user,forward=0:80"],
  ])
  func faultOfUsage_endsWith2_andNamesIt(options: [String]) throws {
    let qemu = try machine("echo never")
    let run = try qemu.boot(["--control-domain", qemu.file("control")] + options)
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(
      run.errors.contains(options.last ?? "") || run.errors.contains(options.dropLast().last ?? ""),
      "\(run.errors)")
  }

  @Test func controlDomainThatIsNotThere_isNamed() throws {
    let qemu = try machine("echo never")
    let run = try qemu.boot([
      "--control-domain", qemu.file("nothing"), "--disk", qemu.file("disk,1"),
    ])
    #expect(run.status == 2 && run.errors.contains("the control domain's image"))
  }
}
