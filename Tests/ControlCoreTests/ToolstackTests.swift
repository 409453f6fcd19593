// What guests find in the store, and with which rights.

import ControlCore
import ControlCoreTesting
import Testing
import XenABI

@Suite struct ToolstackTests {
  private let store = Store()
  private let toolstack: Toolstack
  private let guest: StoreGuest

  init() {
    toolstack = Toolstack(LocalStore(store))
    guest = StoreGuest(store, 5)
    toolstack.enter(
      GuestFacts(
        domain: DomainID(5), memory: 65536, vcpuCount: 2, storeFrame: 77, storePort: 1,
        consoleFrame: 78, consolePort: 2))
  }

  @Test func guest_findsItself() {
    for (key, value) in [
      ("domid", "5"), ("name", "guest-5"), ("memory/target", "65536"),
      ("cpu/1/availability", "online"), ("console/ring-ref", "78"), ("console/port", "2"),
      ("store/port", "1"), ("control/shutdown", ""),
      ("control/platform-feature-xs_reset_watches", "1"),
      ("console/backend-id", "0"), ("device/suspend/event-channel", ""),
    ] {
      #expect(guest.ask(.read, key) == value, "\(key)")
    }
    #expect(guest.ask(.write, "name", value: "other") == "!EACCES")
    #expect(guest.ask(.write, "data/mine", value: "1") == "OK|")
    for own in ["control/shutdown", "control/feature-poweroff", "device/suspend/event-channel"] {
      #expect(guest.ask(.write, own, value: "") == "OK|")
    }
  }

  @Test func devices_haveBothDirectories_withTheRightsOfBothSides() throws {
    toolstack.add(try #require(DiskPlan(Bytes("5:xvdb:3:r"))))
    toolstack.add(try #require(InterfacePlan(Bytes("5:0:00:16:3e:00:00:05"))))
    #expect(guest.ask(.read, "device/vbd/51728/backend") == "/local/domain/0/backend/vbd/5/51728")
    #expect(guest.ask(.read, "device/vbd/51728/state") == "1")
    #expect(guest.ask(.write, "device/vbd/51728/state", value: "3") == "OK|")
    #expect(guest.ask(.read, "device/vif/0/mac") == "00:16:3e:00:00:05")
    let back = "/local/domain/0/backend/vbd/5/51728"
    for (key, value) in [("params", "3"), ("mode", "r"), ("online", "1"), ("frontend-id", "5")] {
      #expect(guest.ask(.read, back + "/" + key) == value, "\(key)")
    }
    #expect(guest.ask(.write, back + "/params", value: "0") == "!EACCES")
    #expect(StoreGuest(store, 6).ask(.read, back + "/params") == "!EACCES")
  }

  @Test func unplugging_asksTheBackend_andForgetsOnceItIsGone() throws {
    let plan = try #require(InterfacePlan(Bytes("5:0:00:16:3e:00:00:05")))
    toolstack.add(plan)
    toolstack.unplug("vif", 0, of: DomainID(5))
    let control = StoreGuest(store, 0)
    let back = "/local/domain/0/backend/vif/5/0"
    #expect(control.ask(.read, back + "/online") == "0")
    #expect(control.ask(.read, back + "/state") == "5")
    #expect(!toolstack.forget("vif", 0, of: DomainID(5)))
    #expect(guest.ask(.read, "device/vif/0/mac") == "00:16:3e:00:00:05")
    control.ask(.rm, back)
    #expect(toolstack.forget("vif", 0, of: DomainID(5)))
    #expect(guest.ask(.read, "device/vif/0/mac") == "!ENOENT")
    toolstack.add(plan)
    #expect(guest.ask(.read, "device/vif/0/state") == "1")
  }

  @Test func guestThatIsGone_leavesNothing() throws {
    toolstack.add(try #require(DiskPlan(Bytes("5:xvda:0:w"))))
    toolstack.remove(DomainID(5))
    let control = StoreGuest(store, 0)
    #expect(control.ask(.read, "/local/domain/5") == "!ENOENT")
    #expect(control.ask(.read, "/local/domain/0/backend/vbd/5/51712/state") == "!ENOENT")
  }

  @Test func names_areNumberedAsOnXen() throws {
    #expect(try #require(DiskPlan(Bytes("1:xvda:0:w"))).number == 51712)
    #expect(try #require(DiskPlan(Bytes("1:xvdp:0:w"))).number == 51952)
    #expect(try #require(DiskPlan(Bytes("1:xvdq:0:w"))).number == 268_439_552)
  }

  @Test(arguments: [
    "", "1", "0:xvda:0:r", "1:xvda:0", "1:xvda:0:x", "1:sda:0:r", "1:xvdA:0:r", "1:xvda:-1:r",
    "99999:xvda:0:r", "1:xvda:0:rw", "1:xvda:0:r:",
  ])
  func malformedDisks_areRefused(text: String) {
    #expect(DiskPlan(Bytes(text.utf8)) == nil)
  }

  @Test func restartPlan_isReadWholeOrNotAtAll() throws {
    let plan = try #require(RestartPlan(Bytes("2:5:1:3:65535:128:1:256")))
    #expect(plan.domain == 2 && plan.times == 5)
    #expect(plan.parts == [1, 3, 65535, 128, 1, 256])
    for text in [
      "", "0:5:1:3:2:128:1:256", "2:5:1:3:2:128:1", "2:5:1:3:2:128:1:256:1", "2:x:1:3:2:128:1:256",
    ] {
      #expect(RestartPlan(Bytes(text.utf8)) == nil, "\(text)")
    }
  }

  @Test(arguments: ["", "1:0", "0:0:00:16:3e:00:00:05", "1:x:00:16:3e:00:00:05", "1:0:00:16"])
  func malformedInterfaces_areRefused(text: String) {
    #expect(InterfacePlan(Bytes(text.utf8)) == nil)
  }
}
