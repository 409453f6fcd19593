// The way of a disk from its making to its removal, with a frontend that behaves and some that do not.

import CXenABI
import ControlCore
import ControlCoreTesting
import Testing
import XenABI

typealias TestBackend = BlockBackend<FakeDisk, FakeHypervisor, FakeHypervisor>

/// Makes backends for one disk.
final class DiskFactory: BackendFactory {
  let disk = FakeDisk(sectors: 1024)
  let hypervisor: FakeHypervisor
  var backends: [TestBackend] = []

  init(_ hypervisor: FakeHypervisor) { self.hypervisor = hypervisor }

  func makeDriver<Store: StoreAccessing>(
    _ keys: BackendKeys<Store>, domain: DomainID, id: UInt64
  ) -> TestBackend? {
    let backend = TestBackend(
      device: disk, grants: hypervisor, events: hypervisor, domain: domain)
    backends.append(backend)
    return backend
  }
}

/// A store, a toolstack that adds a disk to a guest, and the backends.
final class XenbusSetting {
  let store = Store()
  let hypervisor = FakeHypervisor()
  let guest = FakeGuest(5, pages: 64)
  let local: LocalStore
  let frontend: StoreGuest
  let toolstack: StoreGuest
  let factory: DiskFactory
  var registry: BackendRegistry<LocalStore, DiskFactory>
  var ring: Xen.FrontRing<Xen.BlkifRequest, Xen.BlkifResponse>?
  let back = "/local/domain/0/backend/vbd/5/51712"
  let front = "/local/domain/5/device/vbd/51712"

  init() {
    hypervisor.add(guest)
    local = LocalStore(store)
    toolstack = StoreGuest(store, 0)
    frontend = StoreGuest(store, 5)
    factory = DiskFactory(hypervisor)
    registry = BackendRegistry(local, type: "vbd", factory: factory)
    registry.start()
    toolstack.ask(.introduce, "5", "1", "1")
  }

  /// Makes both directories as a toolstack does.
  func plug() {
    let transaction = toolstack.begin()
    for (path, value) in [
      (front, ""), (front + "/backend", back), (front + "/backend-id", "0"),
      (front + "/virtual-device", "51712"), (front + "/state", "1"),
      (back + "/frontend", front), (back + "/frontend-id", "5"), (back + "/online", "1"),
      (back + "/mode", "w"), (back + "/state", "1"),
    ] {
      #expect(toolstack.ask(.write, path, value: value, in: transaction) == "OK|")
    }
    for path in [front, front + "/state"] {
      toolstack.ask(.setPerms, path, "n5", "r0", in: transaction)
    }
    for path in [back, back + "/state"] {
      toolstack.ask(.setPerms, path, "n0", "r5", in: transaction)
    }
    #expect(toolstack.end(transaction) == "OK|")
    work()
  }

  /// Lets the backend see what has happened.
  func work() {
    while let event = local.nextEvent() { _ = registry.handle(event) }
  }

  func set(_ key: String, _ value: String) {
    #expect(frontend.ask(.write, "device/vbd/51712/" + key, value: value) == "OK|")
    work()
  }

  var state: String { toolstack.ask(.read, back + "/state") }

  /// Grants a ring, writes its keys and goes to 3.
  func connect(port: String = "7") {
    guest.ports.insert(7)
    ring = Xen.FrontRing(unsafePage: guest.address(0), byteCount: 4096)
    set("ring-ref", "\(guest.grant(0).rawValue)")
    set("event-channel", port)
    set("state", "3")
  }

  func close() {
    set("state", "5")
    set("state", "6")
  }
}

@Suite("Xenbus")
struct XenbusTests {
  let setting = XenbusSetting()

  @Test("from plugging in to connection, a request, and closing")
  func life() throws {
    setting.plug()
    #expect(setting.state == "2")
    #expect(setting.toolstack.ask(.read, setting.back + "/feature-persistent") == "1")
    setting.connect()
    #expect(setting.state == "4")
    #expect(setting.frontend.ask(.read, setting.back + "/sectors") == "1024")
    setting.set("state", "4")
    var request = Xen.BlkifRequest()
    request.operation = Xen.BlkifOp.read.rawValue
    request.nr_segments = 1
    request.id = 77
    request.seg.0.gref = setting.guest.grant(9).rawValue
    request.seg.0.last_sect = 7
    _ = setting.ring?.put(request)
    _ = setting.ring?.push()
    let backend = try #require(setting.factory.backends.first)
    #expect(backend.handle(EventPort(99)) == nil)
    #expect(backend.handle(EventPort(5007)) != nil)
    let done = try #require(setting.factory.disk.finishOne())
    _ = backend.complete(token: done.token, isGood: true)
    let answer = try setting.ring?.take()
    #expect(answer?.id == 77)
    #expect(setting.hypervisor.events[EventPort(5007)] == 1)
    setting.set("state", "5")
    #expect(setting.state == "5")
    setting.set("state", "6")
    #expect(setting.state == "6")
    #expect(setting.hypervisor.mappedCount == 0 && setting.hypervisor.boundCount == 0)
  }

  @Test("a frontend that closed may come again")
  func again() {
    setting.plug()
    for _ in 0..<3 {
      setting.connect()
      #expect(setting.state == "4")
      setting.close()
      #expect(setting.state == "6")
      setting.set("state", "1")
      #expect(setting.state == "2")
    }
    #expect(setting.hypervisor.mappedCount == 0)
  }

  @Test("unplugging: asked to close, closed, gone")
  func unplug() {
    setting.plug()
    setting.connect()
    setting.toolstack.ask(.write, setting.back + "/online", value: "0")
    setting.toolstack.ask(.write, setting.back + "/state", value: "5")
    setting.work()
    #expect(setting.state == "5")
    #expect(setting.hypervisor.mappedCount == 0)
    setting.close()
    #expect(setting.state == "!ENOENT")
    #expect(setting.registry.devices.isEmpty)
    // And in again.
    setting.plug()
    setting.connect()
    #expect(setting.state == "4")
  }

  @Test("a guest that dies takes its device along")
  func death() {
    setting.plug()
    setting.connect()
    setting.toolstack.ask(.rm, "/local/domain/5")
    setting.work()
    #expect(setting.registry.devices.isEmpty)
    #expect(setting.hypervisor.mappedCount == 0 && setting.hypervisor.boundCount == 0)
    #expect(setting.state == "!ENOENT")
  }

  @Test("a kernel that begins anew without closing gets a fresh connection")
  func kexec() {
    setting.plug()
    setting.connect()
    setting.set("state", "1")
    #expect(setting.state == "2")
    #expect(setting.hypervisor.mappedCount == 0)
    setting.connect()
    #expect(setting.state == "4")
  }

  @Test("a backend that died asks its frontend to close and come again")
  func restart() {
    setting.plug()
    setting.connect()
    // A new control domain: new mappings, the same store.
    let (local, factory) = (LocalStore(setting.store), DiskFactory(FakeHypervisor()))
    factory.hypervisor.add(setting.guest)
    let registry = BackendRegistry(local, type: "vbd", factory: factory)
    func work() { while let event = local.nextEvent() { _ = registry.handle(event) } }
    registry.start()
    work()
    #expect(setting.state == "5")
    #expect(factory.hypervisor.mappedCount == 0)
    setting.frontend.ask(.write, "device/vbd/51712/state", value: "6")
    work()
    #expect(setting.state == "6")
    setting.frontend.ask(.write, "device/vbd/51712/state", value: "1")
    work()
    #expect(setting.state == "2")
    setting.frontend.ask(.write, "device/vbd/51712/state", value: "3")
    work()
    #expect(setting.state == "4")
    #expect(factory.hypervisor.mappedCount == 1)
  }

  @Test(
    "a restart forgets all, waits for the disk, answers nothing, and asks the frontend to close")
  func restartUnderLoad() throws {
    setting.plug()
    setting.connect()
    setting.set("state", "4")
    var request = Xen.BlkifRequest()
    request.nr_segments = 1
    request.seg.0.gref = setting.guest.grant(9).rawValue
    _ = setting.ring?.put(request)
    _ = setting.ring?.push()
    let old = setting.factory.backends[0]
    _ = old.handle(EventPort(5007))
    setting.registry.restart()
    #expect(!setting.registry.poll())
    setting.work()
    #expect(setting.state == "4" && setting.registry.devices.isEmpty)
    #expect(setting.hypervisor.mappedCount == 2)
    let done = try #require(setting.factory.disk.finishOne())
    _ = old.complete(token: done.token, isGood: true)
    #expect(setting.registry.poll())
    #expect(setting.hypervisor.mappedCount == 0 && setting.hypervisor.boundCount == 0)
    let answer = try setting.ring?.take()
    #expect(answer == nil)
    setting.work()
    #expect(setting.state == "5" && setting.registry.devices.count == 1)
    setting.set("state", "6")
    setting.set("state", "1")
    #expect(setting.state == "2")
    setting.connect()
    #expect(setting.state == "4")
  }

  @Test("closing waits for what the disk works on")
  func draining() throws {
    setting.plug()
    setting.connect()
    var request = Xen.BlkifRequest()
    request.nr_segments = 1
    request.seg.0.gref = setting.guest.grant(9).rawValue
    _ = setting.ring?.put(request)
    _ = setting.ring?.push()
    _ = setting.factory.backends[0].handle(EventPort(5007))
    setting.close()
    #expect(setting.state == "4")
    #expect(setting.hypervisor.mappedCount == 2)
    let done = try #require(setting.factory.disk.finishOne())
    _ = setting.factory.backends[0].complete(token: done.token, isGood: true)
    setting.registry.poll()
    #expect(setting.state == "6")
    #expect(setting.hypervisor.mappedCount == 0)
  }

  @Test(
    "keys that are missing, malformed or lies end in closing, with nothing left behind",
    arguments: [
      ("ring-ref", ""), ("ring-ref", "x"), ("ring-ref", "4294967296"), ("ring-ref", "4000000"),
      ("event-channel", "-1"), ("event-channel", "8"), ("event-channel", "99999999999999999999"),
      ("protocol", "arm-abi"), ("protocol", ""), ("multi-queue-num-queues", "0"),
      ("multi-queue-num-queues", "5"), ("multi-queue-num-queues", "2"), ("ring-page-order", "5"),
      ("ring-page-order", "1"), ("num-ring-pages", "3"), ("num-ring-pages", "0"),
    ])
  func badKeys(key: String, value: String) {
    setting.plug()
    setting.guest.ports.insert(7)
    setting.ring = Xen.FrontRing(unsafePage: setting.guest.address(0), byteCount: 4096)
    setting.set("ring-ref", "\(setting.guest.grant(0).rawValue)")
    setting.set("event-channel", "7")
    setting.set(key, value)
    setting.set("state", "3")
    #expect(setting.state == "5")
    #expect(setting.hypervisor.mappedCount == 0 && setting.hypervisor.boundCount == 0)
    #expect(
      setting.toolstack.ask(.read, "/local/domain/0/error/backend/vbd/5/51712/error") != "!ENOENT")
    setting.close()
    #expect(setting.state == "6")
    setting.set("state", "1")
    #expect(setting.state == "2")
  }

  @Test("several queues of several pages")
  func queues() {
    setting.plug()
    setting.set("multi-queue-num-queues", "2")
    setting.set("ring-page-order", "1")
    for queue in 0..<2 {
      setting.guest.ports.insert(UInt32(20 + queue))
      setting.set("queue-\(queue)/event-channel", "\(20 + queue)")
      for page in 0..<2 {
        let reference = setting.guest.grant(queue * 2 + page)
        setting.set("queue-\(queue)/ring-ref\(page)", "\(reference.rawValue)")
      }
      _ = Xen.FrontRing<Xen.BlkifRequest, Xen.BlkifResponse>(
        unsafePage: setting.guest.address(queue * 2), byteCount: 8192)
    }
    setting.set("state", "3")
    #expect(setting.state == "4")
    #expect(setting.hypervisor.mappedCount == 4 && setting.hypervisor.boundCount == 2)
  }

  @Test("a state that is none changes nothing")
  func noState() {
    setting.plug()
    setting.connect()
    for value in ["", "0", "9", "4294967300", "-1", "four"] {
      setting.set("state", value)
      #expect(setting.state == "4")
    }
  }

  @Test("any walk of states leads nowhere unknown, and everything is given back at its end")
  func randomWalk() {
    var random = SeededNumbers(seed: 5)
    for _ in 0..<40 {
      setting.plug()
      for _ in 0..<15 {
        if random.below(4) == 0 { setting.connect() }
        setting.set("state", "\(random.below(10))")
        if random.below(6) == 0 {
          setting.toolstack.ask(.write, setting.back + "/state", value: "5")
          setting.work()
        }
        #expect(["1", "2", "4", "5", "6"].contains(setting.state))
        #expect(setting.hypervisor.mappedCount <= 1)
      }
      setting.toolstack.ask(.rm, "/local/domain/5/device")
      setting.work()
      #expect(setting.hypervisor.mappedCount == 0 && setting.hypervisor.boundCount == 0)
      #expect(setting.registry.devices.isEmpty)
    }
  }
}

/// A driver that always can.
private protocol WillingDriver: BackendDriver {}

extension WillingDriver {
  func announce<Store: StoreAccessing>(_ keys: BackendKeys<Store>) {}
  func connect<Store: StoreAccessing>(
    _ frontend: FrontendKeys<Store>, _ keys: BackendKeys<Store>
  ) throws(XenbusFault) {}
  func stop() {}
  func abandon() {}
  func finish() -> Bool { true }
}

/// One whose frontends have written all in state 3.
private final class EarlyDriver: WillingDriver {
  static var isCompleteWhenInitialised: Bool { true }
}

/// One whose frontends add keys in state 3.
private final class LateDriver: WillingDriver {
  static var isCompleteWhenInitialised: Bool { false }
}

@Suite("When a backend connects")
struct ConnectionStateTests {
  let local = LocalStore(Store())
  let back = StorePath.home(of: .control).child("backend")
  let front = StorePath.home(of: DomainID(5)).child("device")

  /// The backend's states while its frontend goes through these.
  private func states<Driver: BackendDriver>(_ driver: Driver, _ frontend: [String]) throws
    -> [UInt64]
  {
    local.write(back.child("frontend"), front.bytes)
    local.write(back.child("frontend-id"), Bytes("5".utf8))
    local.write(back.child("state"), Bytes("1".utf8))
    local.write(front.child("state"), Bytes("1".utf8))
    let device = try #require(BackendDevice(local, directory: back, driver: driver))
    device.start()
    return frontend.map { state in
      local.write(front.child("state"), Bytes(state.utf8))
      device.update()
      return UInt64(device.state.rawValue)
    }
  }

  @Test func aDisk_inState3() throws {
    #expect(TestBackend.isCompleteWhenInitialised)
    #expect(try states(EarlyDriver(), ["3", "4"]) == [4, 4])
  }

  /// GNU Mach goes to 3, reads the features when the backend is in 2, and asks for copies then.
  @Test func aNetwork_inState4Alone() throws {
    #expect(!NetBackend<FakeHypervisor, FakeHypervisor>.isCompleteWhenInitialised)
    #expect(try states(LateDriver(), ["3", "3", "4", "3"]) == [2, 2, 4, 4])
    #expect(try states(LateDriver(), ["4"]) == [4])
  }
}
