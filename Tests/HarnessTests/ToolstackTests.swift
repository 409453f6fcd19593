// A guest beside Linux as domain 0 of stock Xen: what xl is told, what domain 0 says, and the second
// serial line.

import Foundation
import Testing

@testable import Harness

@Suite struct ToolstackTests {
  private func request() -> BootRequest {
    var request = BootRequest(kernel: "kernel")
    request.hypervisor = .xen
    return request
  }

  @Test func guest_isDescribedForXl() throws {
    var request = request()
    request.commandLine = "a=\"b\\c\" 'd' é"
    request.memory = 48
    request.vcpus = 2
    request.initrd = "ramdisk"
    request.network = GuestNetwork()
    request.disks = [GuestDisk(path: "one"), GuestDisk(path: "two")]
    request.disks[1].isReadOnly = true
    request.disks[1].name = "xvdf"
    let guest = try ToolstackGuest(request)
    let lines = guest.text.split(separator: "\n")
    #expect(lines.contains("cmdline=\"a=\\042b\\134c\\042 \\047d\\047 \\303\\251\""))
    #expect(lines.contains("memory=48") && lines.contains("vcpus=2"))
    #expect(lines.contains("ramdisk=\"/guest/initrd\""))
    #expect(
      lines.contains(
        "disk=[\"phy:/dev/xenograft/disk0,xvda,w\",\"phy:/dev/xenograft/disk1,xvdf,r\"]"))
    #expect(lines.contains("vif=[\"mac=00:16:3e:00:00:01,bridge=xenbr0,script=vif\"]"))
    #expect(guest.members.map(\.name) == ["guest/kernel", "guest/initrd", "guest/config"])
  }

  @Test func guestWithoutRamdiskOrNetwork_hasNone() throws {
    let text = try ToolstackGuest(request()).text
    #expect(!text.contains("ramdisk") && !text.contains("vif") && !text.contains("disk"))
    #expect(text.contains("cmdline=\"\"\n"))
  }

  @Test func domain0_hasRoomForTheGuestsFiles() throws {
    var request = request()
    request.network = GuestNetwork()
    let plan = try GuestPlan(request, controlDomain: "vmlinuz")
    #expect(plan.kinds.map(\.memory) == [256, 128])
    #expect(plan.subjects == 1..<2 && plan.awaited == [1])
    let arguments = try QemuCommand.arguments(for: request, plan)
    #expect(arguments.contains("file:console"))
    #expect(arguments.contains { $0.hasPrefix("module0 ") && $0.hasSuffix(",ramdisk0") })
    #expect(arguments.contains { $0.contains("dom0_mem=256M dom0_max_vcpus=1") })
  }

  @Test func guestAlone_isDomain0() throws {
    let request = request()
    let arguments = try QemuCommand.arguments(for: request, GuestPlan(request))
    #expect(arguments.contains("guest") && !arguments.contains("file:console"))
  }

  @Test(arguments: [1, 2, 7, 1000])
  func domain0sLines_areCutAtNewlines(size: Int) {
    var console = ToolstackConsole()
    let bytes = Array("one\r\r\n\nxenograft: ready\r\nend".utf8)
    var lines: [String] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      lines += console.take(Array(bytes[start..<min(start + size, bytes.count)]))
    }
    #expect(lines == ["one", "", "xenograft: ready"])
    #expect(console.finish() == "end" && console.finish() == nil)
  }

  @Test(arguments: [
    (0, Verdict.poweroff), (1, .reboot), (2, .suspended), (3, .crash), (4, .crash), (5, .reboot),
    (77, .crash),
  ])
  func reason_isAVerdict(number: Int, verdict: Verdict) {
    guard case .ended(let end) = ToolstackConsole.notice(in: "xenograft: ended: \(number)") else {
      Issue.record("no end")
      return
    }
    #expect(end.verdict == verdict)
  }

  @Test func otherNotices_areRead_andOtherLinesNot() {
    #expect(ToolstackConsole.notice(in: "xenograft: ready") == .ready)
    #expect(ToolstackConsole.notice(in: "xenograft: refused: xl: no: x") == .refused("xl: no: x"))
    #expect(ToolstackConsole.notice(in: "xenograft: failed: no module") == .failed("no module"))
    for line in ["ready", "", "xenograft: ", "xenograft: ended: x", "xl: xenograft: ready"] {
      #expect(ToolstackConsole.notice(in: line) == nil)
    }
  }

  @Test func secondLine_isReadWhileItGrows() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "line-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    var line = SecondLine(folder: folder)
    #expect(line.take().isEmpty)
    let path = folder.appending(path: SecondLine.name)
    try Data("one\r".utf8).write(to: path)
    #expect(line.take() == Array("one".utf8))
    let output = try FileHandle(forWritingTo: path)
    try output.seekToEnd()
    try output.write(contentsOf: Data("\ntwo\r\r\nthr".utf8))
    #expect(line.take() == Array("\ntwo\r\nthr".utf8))
    #expect(line.take().isEmpty)
  }

  /// Behind an initramfs of any length, the guest's files begin where Linux looks for them.
  @Test(arguments: [0, 1, 2, 3, 512])
  func guestsFiles_standBehindTheInitramfs(length: Int) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "cpio-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let base = folder.appending(path: "base")
    let whole = folder.appending(path: "whole")
    try Data(repeating: 0x78, count: length).write(to: base)
    let file = ModuleFile(path: "", role: "text", contents: Array("hello".utf8))
    try ModulePacking.extend(
      base.path, with: [CpioArchive.Member(name: "guest/x", file: file)], to: whole)
    let data = try Data(contentsOf: whole)
    let start = (length + 3) / 4 * 4
    #expect(data.prefix(length) == Data(repeating: 0x78, count: length))
    #expect(data[length..<start].allSatisfy { $0 == 0 })
    let member = String(decoding: data[start...], as: UTF8.self)
    #expect(member.hasPrefix("070701" + "00000000" + "000081a4"))
    #expect(member.contains("00000005") && member.contains("guest/x\0") && member.contains("hello"))
    #expect(member.hasSuffix("TRAILER!!!\0\0\0\0") && data.count % 4 == 0)
  }
}
