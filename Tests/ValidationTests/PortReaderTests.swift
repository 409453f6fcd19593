// PORT.yaml as it is read: what it means, and what is said where it is wrong.

import ABISchema
import Testing

@testable import Validation

@Suite struct PortReaderTests {
  private func read(_ text: String) -> PortLoadResult {
    PortReader.read(text, file: "ports/PORT.yaml")
  }

  @Test func aPort_isReadWithItsDefaults() throws {
    let result = read(
      """
      kernel: build/kernel
      build: make -s
      disks:
        - {file: disk.img, read-only: true}
        - {size: 8}
      network: true
      checks:
        - boots
        - {check: console, name: self-test, lines: ['^one$', {text: 'a.b'}], never: panic}
        - {check: network, protocol: http, path: /index.html}
        - {check: strict, allow: [cpuid, {rule: 'rd*', function: probe, most: 3}]}
        - {check: faults, inject: [delays, 'net:rx-short:every=5:count=9']}
        - restart
      """)
    #expect(result.diagnostics.isEmpty)
    let port = try #require(result.port)
    #expect(port.name == "kernel" && port.kernel.path == "ports/build/kernel")
    #expect(port.build?.command == "make -s" && port.build?.position.line == 2)
    #expect(port.machine.disks.map(\.name) == ["xvda", "xvdb"])
    #expect(port.machine.disks[1].contents == .zeros(8))
    let names = port.checks.map(\.name)
    #expect(names == ["boots", "self-test", "network", "strict", "faults", "restart"])
    guard case .console(let console) = port.checks[1].body,
      case .network(let network) = port.checks[2].body,
      case .strict(let allow) = port.checks[3].body,
      case .faults(let faults) = port.checks[4].body,
      case .restart(let restart) = port.checks[5].body
    else {
      Issue.record("checks of other kinds")
      return
    }
    #expect(console.lines == [LinePattern("^one$"), LinePattern("a.b", isLiteral: true)])
    #expect(network.port == 80 && network.status == 200)
    #expect(allow[1] == AllowedTrap(rule: "rd*", function: "probe", file: nil, most: 3))
    #expect(faults.inject.first == "block:late" && faults.inject.contains("net:tx-late"))
    #expect(faults.inject.last == "net:rx-short:every=5:count=9")
    #expect(restart.inject == ["block:restarts"])
    #expect(port.checks[1].position.line == 9)
  }

  /// Each text with the place and a part of what is said of it.
  @Test(arguments: [
    ("", 1, 1, "found an empty file"),
    ("checks: [boots]", 1, 1, "expected `kernel`"),
    ("kernel: k", 1, 1, "expected `checks`"),
    ("kernel: k\nchecks: []", 2, 9, "at least one check"),
    ("kernel: k\nkernal: k\nchecks: [boots]", 2, 1, "unknown key `kernal`"),
    ("kernel: k\nmemory: lots\nchecks: [boots]", 2, 9, "from 4 to 1048576"),
    ("kernel: k\ntimeout: 0\nchecks: [boots]", 2, 10, "from 0.1"),
    ("kernel: k\nhypervisor: kvm\nchecks: [boots]", 2, 13, "rootstock, xen"),
    ("kernel: k\nname: ../up\nchecks: [boots]", 2, 7, "letters, digits"),
    ("kernel: k\ndisks: [{file: a, size: 1}]\nchecks: [boots]", 2, 9, "found both"),
    ("kernel: k\ndisks: [{name: sda, size: 1}]\nchecks: [boots]", 2, 16, "xvda to xvdz"),
    ("kernel: k\nchecks: [bots]", 2, 10, "a check's kind, found `bots`"),
    ("kernel: k\nchecks: [{lines: x}]", 2, 10, "expected `check`"),
    ("kernel: k\nchecks: [{check: boots, line: x}]", 2, 25, "unknown key `line`"),
    ("kernel: k\nchecks: [boots, boots]", 2, 17, "found `boots` twice"),
    ("kernel: k\nchecks: [console]", 2, 10, "`lines` or `never`"),
    ("kernel: k\nchecks: [{check: console, lines: ['(']}]", 2, 35, "a regular expression"),
    ("kernel: k\nchecks: [{check: block, lines: x}]", 2, 10, "expected `disks`"),
    ("kernel: k\nchecks: [{check: network, port: 7}]", 2, 10, "`network: true`"),
    (
      "kernel: k\nnetwork: true\nchecks: [{check: network, protocol: udp, port: 7}]", 3, 10,
      "`send`"
    ),
    (
      "kernel: k\nnetwork: true\nchecks: [{check: network, port: 7, path: /}]", 3, 42,
      "with http only"
    ),
    ("kernel: k\nchecks: [{check: time, pattern: up}]", 2, 33, "a group around the number"),
    ("kernel: k\nchecks: [audit]", 2, 10, "expected `baseline`"),
    ("kernel: k\nchecks: [{check: hypervisor, on: rootstock}]", 2, 34, "expected `xen`"),
    ("kernel: k\nchecks: [faults]", 2, 10, "expected `inject`"),
    ("kernel: k\nchecks: [{check: faults, inject: [block:late]}]", 2, 35, "expected `disks`"),
    ("kernel: k\nchecks: [{check: faults, inject: [store:lat]}]", 2, 35, "found `store:lat`"),
    ("kernel: k\nchecks: [{check: faults, inject: ['1:store:late']}]", 2, 35, "TARGET:NAME"),
    ("kernel: k\nchecks: [{check: faults, inject: [clock-jump]}]", 2, 35, "TARGET:NAME"),
    ("kernel: &a k\nchecks: [*a]", 2, 10, "an alias"),
    ("kernel: k\nchecks: [boots", 3, 1, "a fault"),
    ("kernel: k\nkernel: k\nchecks: [boots]", 1, 1, "found twice"),
  ])
  func whatIsWrong_isToldWithItsPlace(
    text: String, line: Int, column: Int, message: String
  ) throws {
    let result = read(text)
    #expect(result.port == nil)
    let rendered = result.diagnostics.map(\.rendered).joined(separator: "\n")
    let found = result.diagnostics.first { $0.message.contains(message) }
    let place = try #require(found, "\(rendered)").position
    #expect(place.line == line, "\(rendered)")
    // The YAML reader's own faults have the reader's column.
    if !text.hasSuffix("[boots") { #expect(place.column == column, "\(rendered)") }
    #expect(rendered.contains("ports/PORT.yaml:\(line):"))
  }

  @Test func everyFault_isToldAtOnce() {
    let result = read("kernel: k\nmemory: x\nvcpus: 0\nchecks: [bots, {check: console}]")
    #expect(result.diagnostics.count == 4)
  }

  @Test func aNearName_isOffered() {
    let hints = read("kernel: k\nchecks: [consol]").diagnostics.compactMap(\.hint)
    #expect(hints == ["did you mean `console`?"])
  }

  @Test(arguments: [nil, 0xff] as [UInt8?])
  func aFileThatCannotBeRead_isNamed(byte: UInt8?) throws {
    let path = byte == nil ? "/nowhere/PORT.yaml" : try Scratch().file("PORT.yaml", [0x6b, 0xff])
    let result = PortReader.load(path: path)
    #expect(result.port == nil && result.diagnostics.count == 1)
  }
}
