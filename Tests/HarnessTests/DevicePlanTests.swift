// Devices of a guest, as the control domain and QEMU are told of them.

import Testing

@testable import Harness

@Suite struct DevicePlanTests {
  private func request(_ disks: [GuestDisk]) -> BootRequest {
    var request = BootRequest(kernel: "k")
    request.disks = disks
    return request
  }

  private func disk(_ path: String, _ name: String? = nil, isReadOnly: Bool = false) -> GuestDisk {
    var disk = GuestDisk(path: path)
    disk.name = name
    disk.isReadOnly = isReadOnly
    return disk
  }

  @Test func disks_getFreeNames_inOrder() throws {
    let plan = try DevicePlan(
      request([disk("a"), disk("b", "xvda", isReadOnly: true), disk("c")]))
    #expect(plan.options == "vbd=1:xvdb:0:w vbd=1:xvda:1:r vbd=1:xvdc:2:w")
    #expect(plan.emulatorArguments.contains("virtio-blk-pci,drive=disk2,serial=disk2"))
    #expect(
      plan.emulatorArguments.contains("if=none,id=disk1,file=disk1,format=raw,read-only=on"))
  }

  @Test func network_isForwardedBothWays() throws {
    var request = BootRequest(kernel: "k")
    var network = GuestNetwork()
    network.forwards = [PortForward(host: 8080, guest: 80)]
    request.network = network
    let plan = try DevicePlan(request)
    #expect(plan.options == "vif=1:0:00:16:3e:00:00:01")
    #expect(
      plan.emulatorArguments.contains(
        "user,id=net0,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:127.0.0.1:8080-:80"))
  }

  @Test func guestsBeside_areOnTheNetworkWhereAsked() throws {
    var request = BootRequest(kernel: "k")
    request.network = GuestNetwork()
    var neighbour = GuestBeside(kernel: "b")
    neighbour.isOnNetwork = true
    request.beside = [GuestBeside(kernel: "a"), neighbour]
    let plan = try DevicePlan(request)
    #expect(plan.options == "vif=1:0:00:16:3e:00:00:01 vif=3:0:00:16:3e:00:00:03")
  }

  @Test func controlDomain_isDomain0_andTheGuestDomain1() throws {
    var request = request([disk("a")])
    request.commandLine = "quiet -- x"
    let plan = try GuestPlan(request, controlDomain: "c")
    #expect(
      plan.options
        == "domain=kernel:0,memory:64,exempt:1 domain=kernel:2,arguments:1,memory:128,paused:1")
    #expect(plan.controlOptions == "vbd=1:xvda:0:w until=1")
    #expect(plan.kernels == ["c", "k"])
    #expect(plan.subjects == 1..<2 && plan.awaited == [1])
    #expect(plan.modules[1].contents == Array("quiet -- x\0".utf8))
  }

  @Test func guestsThatAreStartedAgain_areToldToTheControlDomain() throws {
    var request = request([disk("a")])
    var again = GuestBeside(kernel: "b")
    again.initrd = "i"
    again.count = 2
    again.restarts = 5
    again.weight = 512
    request.beside = [GuestBeside(kernel: "k"), again]
    let plan = try GuestPlan(request, controlDomain: "c")
    #expect(
      plan.controlOptions
        == "vbd=1:xvda:0:w until=1 restart=3:5:3:4:1:32:1:512 restart=4:5:3:4:1:32:1:512")
  }

  @Test func copies_areAllServed() throws {
    var request = request([disk("a", isReadOnly: true)])
    request.copies = 2
    request.beside = [GuestBeside(kernel: "b")]
    let plan = try GuestPlan(request, controlDomain: "c")
    #expect(plan.controlOptions == "vbd=1:xvda:0:r vbd=2:xvda:0:r")
    #expect(plan.subjects == 1..<3 && plan.awaited == [1, 2, 3])
    #expect(plan.kernels == ["c", "k", "k", "b"])
  }

  @Test func domainsOfTheirOwn_andFaults() throws {
    var own = disk("b")
    own.domain = 3
    var other = disk("c")
    other.domain = 1
    var request = request([own, other])
    request.copies = 2
    var neighbour = GuestBeside(kernel: "b")
    neighbour.isOnNetwork = true
    request.beside = [neighbour]
    request.network = GuestNetwork()
    request.faults = ["2:net:closes", "block:late:every=3"]
    let plan = try DevicePlan(request)
    #expect(
      plan.options == """
        vbd=1:xvdb:1:w vbd=3:xvda:0:w vif=1:0:00:16:3e:00:00:01 vif=2:0:00:16:3e:00:00:02 \
        vif=3:0:00:16:3e:00:00:03 fault=2:net:closes fault=block:late:every=3
        """)
    own.domain = 4
    request.disks = [own]
    #expect(throws: HarnessError.self) { try DevicePlan(request) }
  }

  @Test func whatDoesNotGoTogether_isRefused() {
    var copies = request([disk("a")])
    copies.copies = 2
    for bad in [
      copies, request([disk("a", "xvda"), disk("b", "xvda")]), request([disk("a", "sda")]),
      request((0..<27).map { disk("\($0)") }),
    ] {
      #expect(throws: HarnessError.self) { try DevicePlan(bad) }
    }
  }
}
