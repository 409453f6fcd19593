// Faults of a control domain for tests: their names, and that each does to a guest what it says.

import CXenABI
import ControlCore
import ControlCoreTesting
import ControlFaults
import Testing
import XenABI

@Suite("Faults: names")
struct FaultPlanTests {
  @Test("there are thirty and more, and no name stands for two")
  func table() {
    let names = Fault.all.map { "\($0.target.name):\($0.name)" }
    #expect(names.count >= 60)
    #expect(Set(names).count == names.count)
    for target in [FaultTarget.block, .net, .store, .console] {
      #expect(Fault.all.contains { $0.target == target })
    }
  }

  @Test("an option names a fault, and numbers of its own if it likes")
  func options() throws {
    let plain = try #require(FaultPlan(Bytes("block:wrong-id")))
    #expect(plain.domain == nil && plain.every == 7 && plain.count == 2)
    #expect(plain.strikes(DomainID(1)) && plain.strikes(DomainID(9)))
    let whole = try #require(FaultPlan(Bytes("2:net:rx-offset:every=5:count=9")))
    #expect(whole.fault.act == .offset && whole.every == 5 && whole.count == 9)
    #expect(whole.strikes(DomainID(2)) && !whole.strikes(DomainID(1)))
  }

  @Test(
    "anything else is refused",
    arguments: [
      "", "block", "block:none", "disk:wrong-id", "0:block:wrong-id", "block:wrong-id:every=0",
      "block:wrong-id:every", "block:wrong-id:often=3", "block:wrong-id:every=-1",
      "x:block:wrong-id",
      "block:wrong-id:", "1:2:block:wrong-id",
    ])
  func refusals(_ text: String) {
    #expect(FaultPlan(Array(text.utf8)) == nil)
  }

  @Test("every name of the table is understood")
  func all() {
    for fault in Fault.all {
      #expect(FaultPlan(Array("\(fault.target.name):\(fault.name)".utf8)) != nil)
    }
  }
}

/// A guest with a disk whose backend is honest, and a box of faults between them.
private final class FaultSetting {
  let hypervisor = FakeHypervisor()
  let guest = FakeGuest(3, pages: 64)
  let disk = FakeDisk(sectors: 1024)
  let box: FaultBox
  let queue: BlockQueue<FakeDisk, Passage>
  var ring: Xen.FrontRing<Xen.BlkifRequest, Xen.BlkifResponse>
  var now: UInt64 = 0
  private var nextID: UInt64 = 0x1_0000_0000

  /// Grants by way of the box, as the control domain's are.
  struct Passage: GrantAccess {
    let box: FaultBox
    let hypervisor: FakeHypervisor
    func map(
      _ references: [GrantReference], of domain: DomainID, isWritable: Bool, isConsecutive: Bool
    ) -> [MappedPage]? {
      hypervisor.map(
        references, of: domain, isWritable: isWritable, isConsecutive: isConsecutive
      ).map { box.mapped($0, of: domain, .block, isRing: isConsecutive) }
    }
    func unmap(_ pages: [MappedPage]) { hypervisor.unmap(box.unmapped(pages)) }
    func copy(_ pieces: inout [GrantCopy], of domain: DomainID) {}
  }

  init(_ fault: String) {
    guard let plan = FaultPlan(Array(fault.utf8)) else { fatalError("no fault \(fault)") }
    let box = FaultBox([plan])
    self.box = box
    hypervisor.add(guest)
    guest.ports = [5]
    let reference = guest.grant(0)
    guard
      let ring = Xen.FrontRing<Xen.BlkifRequest, Xen.BlkifResponse>(
        unsafePage: guest.address(0), byteCount: 4096),
      let queue = BlockQueue(
        device: disk, grants: Passage(box: box, hypervisor: hypervisor), domain: guest.domain,
        number: 0, ring: [reference], layout: .native, features: BlockFeatures(),
        isPersistent: false)
    else { fatalError("the ring is granted") }
    self.ring = ring
    self.queue = queue
    if let port = hypervisor.bind(5, of: guest.domain) { box.bound(port, of: guest.domain, .block) }
  }

  /// Sends so many reads, and lets all of them be done.
  func read(_ count: Int) -> FaultRound {
    for index in 0..<count {
      var request = Xen.BlkifRequest()
      request.operation = Xen.BlkifOp.read.rawValue
      request.id = nextID + UInt64(index)
      request.nr_segments = 1
      request.sector_number = UInt64(index) * 8
      request.seg.0.gref = guest.grant(16 + index).rawValue
      request.seg.0.last_sect = 7
      let isPut = ring.put(request)
      #expect(isPut)
    }
    nextID += 1 << 32
    _ = ring.push()
    _ = box.pump(now: now)
    _ = queue.run()
    while let done = disk.finishOne() { _ = queue.complete(token: done.token, isGood: done.isGood) }
    now += 10_000_000
    return box.pump(now: now)
  }

  /// Ids below the serial number and statuses of what came; `nil` for a ring that is broken.
  func answers() -> [(id: UInt64, status: Int16)]? {
    var list: [(UInt64, Int16)] = []
    do {
      while let response = try ring.take() { list.append((response.id, response.status)) }
    } catch { return nil }
    return list
  }

  func word(_ index: Int) -> UInt32 {
    guest.address(0).load(fromByteOffset: index * 4, as: UInt32.self)
  }
}

@Suite("Faults: a ring with one in the middle")
struct FaultRingTests {
  @Test("before its turn nothing is changed, and the data are there")
  func honest() throws {
    let setting = FaultSetting("block:wrong-id:every=100")
    for index in setting.disk.contents.indices { setting.disk.contents[index] = 0x5a }
    let round = setting.read(8)
    let answers = try #require(setting.answers())
    #expect(answers.map { $0.id & 0xff } == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(answers.allSatisfy { $0.status == 0 } && round.events.count == 1 && round.news.isEmpty)
    #expect(setting.guest.address(20).load(as: UInt8.self) == 0x5a)
    #expect(setting.queue.close() && setting.hypervisor.mappedCount == 0)
  }

  @Test("another guest's ring is not touched")
  func others() throws {
    let setting = FaultSetting("4:block:wrong-id:every=1")
    _ = setting.queue
    #expect(setting.read(0).events.isEmpty)
    #expect(!setting.box.owns(EventPort(3005)))
  }

  @Test("single responses are changed as their fault says")
  func responses() throws {
    let changed: [(name: String, change: (UInt64, Int16) -> Bool)] = [
      ("wrong-id", { id, status in id & 0xff == 0 && status == 0 }),
      ("huge-id", { id, _ in id > 0xffff_ffff_0000_0000 }),
      ("old-serial", { id, _ in id == 1 }),
      ("unknown-status", { _, status in status == 77 }),
      ("error", { id, status in id & 0xff == 1 && status == -1 }),
      ("unsupported", { _, status in status == -2 }),
    ]
    for (name, change) in changed {
      let setting = FaultSetting("block:\(name):every=2:count=1")
      let round = setting.read(4)
      let answers = try #require(setting.answers())
      #expect(answers.count == 4)
      #expect(change(answers[1].id, answers[1].status), "\(name)")
      #expect(answers[3].id & 0xff == 3 && answers[3].status == 0)
      #expect(round.news.count == 1)
    }
  }

  @Test("a response is dropped, doubled, late, or out of order")
  func order() throws {
    #expect(try ids("block:dropped:every=2:count=1", 4) == [0, 2, 3])
    #expect(try ids("block:reordered:every=1", 4) == [1, 0, 3, 2])
    let late = FaultSetting("block:late:every=2:count=1")
    _ = late.read(4)
    #expect(try #require(late.answers()).map { $0.id & 0xff } == [0, 2, 3])
    _ = late.box.pump(now: 1_000_000_000)
    #expect(try #require(late.answers()).map { $0.id & 0xff } == [1])
    let doubled = FaultSetting("block:doubled:every=4:count=1")
    _ = doubled.read(4)
    #expect(doubled.answers() == nil && doubled.word(2) == 5)
  }

  private func ids(_ fault: String, _ count: Int) throws -> [UInt64] {
    let setting = FaultSetting(fault)
    _ = setting.read(count)
    return try #require(setting.answers()).map { $0.id & 0xff }
  }

  @Test("indexes become impossible, and the ring is left alone from then on")
  func indexes() {
    for (name, index) in [("index-ahead", 1002), ("index-back", UInt32.max), ("overrun", 34)] {
      let setting = FaultSetting("block:\(name):every=2:count=1")
      #expect(setting.read(2).events.count == 1)
      #expect(setting.word(2) == index, "\(name)")
      #expect(setting.answers() == nil)
      #expect(setting.queue.isIdle)
    }
  }

  @Test("what was published is written again")
  func rewritten() throws {
    let setting = FaultSetting("block:rewritten:every=2:count=1")
    _ = setting.read(2)
    #expect(try #require(setting.answers())[1].status == -1)
    let slots = FaultSetting("block:scribbled-slots:every=2:count=1")
    _ = slots.read(2)
    #expect(try #require(slots.answers())[0].id == 0xa5a5_a5a5_a5a5_a5a5)
    let header = FaultSetting("block:scribbled-header:every=2:count=1")
    _ = header.read(2)
    #expect(header.word(0) == 0x5555_5557 && header.word(2) == 2)
  }

  @Test("events are withheld, and sent too often")
  func events() {
    #expect(FaultSetting("block:no-events").read(3).events.isEmpty)
    #expect(FaultSetting("block:event-storm").read(3).events.count == 64)
  }

  @Test("pages stay mapped for a while after their end")
  func kept() {
    let data = FaultSetting("block:keeps-data:count=2")
    _ = data.read(4)
    #expect(data.queue.close() && data.hypervisor.mappedCount == 2)
    let rings = FaultSetting("block:keeps-rings")
    _ = rings.read(4)
    #expect(rings.queue.close() && rings.hypervisor.mappedCount == 1)
    for setting in [data, rings] {
      #expect(setting.box.pump(now: setting.now).unmapped.isEmpty)
      setting.hypervisor.unmap(setting.box.pump(now: setting.now + 2_000_000_000).unmapped)
      #expect(setting.hypervisor.mappedCount == 0)
    }
  }

  @Test("a device is struck, and its port closed")
  func devices() throws {
    let setting = FaultSetting("block:vanishes:every=3")
    let strike = try #require(setting.read(3).devices.first)
    #expect(strike.act == .vanishes && strike.domain == DomainID(3))
    let port = FaultSetting("block:port-closed:every=3")
    #expect(port.read(3).closed == [EventPort(3005)])
    #expect(port.box.owns(EventPort(3005)) && !port.box.unbound(EventPort(3005)))
    #expect(!port.box.owns(EventPort(3005)))
  }

  @Test("a ring of 32 bits has its own slots, in front of the fault and behind")
  func narrow() throws {
    let box = FaultBox([try #require(FaultPlan(Bytes("block:wrong-id:every=2:count=1")))])
    let hypervisor = FakeHypervisor()
    let guest = FakeGuest(3, pages: 4)
    hypervisor.add(guest)
    guest.ports = [5]
    var ring = try #require(
      Xen.FrontRing<BlkifNarrowSlot, BlkifNarrowResponse>(
        unsafePage: guest.address(0), byteCount: 4096))
    let granted = try #require(
      hypervisor.map([guest.grant(0)], of: guest.domain, isWritable: true, isConsecutive: true))
    let shown = box.mapped(granted, of: guest.domain, .block, isRing: true, layout: .narrow)
    var backend = try #require(
      Xen.BackRing<BlkifNarrowSlot, BlkifNarrowResponse>(
        unsafePage: shown[0].address, byteCount: 4096))
    let port = try #require(hypervisor.bind(5, of: guest.domain))
    box.bound(port, of: guest.domain, .block)
    for id in 1...3 as ClosedRange<UInt32> {
      var slot = BlkifNarrowSlot()
      slot.words[1] = id
      slot.words[26] = ~id
      let isPut = ring.put(slot)
      #expect(isPut)
    }
    _ = ring.push()
    _ = box.pump(now: 0)
    while let slot = try backend.take() {
      #expect(slot.words[26] == ~slot.words[1])
      var response = BlkifNarrowResponse()
      response.words[0] = slot.words[1]
      response.words[1] = 7
      response.words[2] = 0xffff_0001
      _ = backend.put(response)
    }
    _ = backend.push()
    _ = box.pump(now: 0)
    var ids: [UInt32] = []
    while let response = try ring.take() {
      ids.append(response.words[0])
      #expect(response.words[1] == 7 && response.words[2] == 0xffff_0001)
    }
    #expect(ids == [1, 3, 3])
    hypervisor.unmap(box.unmapped(shown))
    #expect(hypervisor.mappedCount == 0)
  }

  @Test("keys are another's in place of the backend's")
  func keys() {
    let box = FaultBox(
      ["block:sectors-zero", "2:block:queues", "net:no-copy"].compactMap {
        FaultPlan(Array($0.utf8))
      })
    #expect(box.keys(.block, of: DomainID(1)).map(\.value) == [Bytes("0")])
    #expect(box.keys(.block, of: DomainID(2)).count == 2)
    #expect(box.keys(.net, of: DomainID(1)).first?.name == Bytes("feature-rx-copy"))
  }
}
