// One queue of a disk, from the frontend's side of the ring.

import CXenABI
import ControlCore
import ControlCoreTesting
import Testing
import XenABI

/// A disk, a guest, and the guest's end of one queue.
final class BlockSetting {
  let hypervisor = FakeHypervisor()
  let guest = FakeGuest(3, pages: 600)
  let disk = FakeDisk(sectors: 4096)
  let queue: BlockQueue<FakeDisk, FakeHypervisor>
  var ring: Xen.FrontRing<Xen.BlkifRequest, Xen.BlkifResponse>
  private var nextID: UInt64 = 1

  init(pages: Int = 1, features: BlockFeatures = BlockFeatures(), isPersistent: Bool = false) {
    hypervisor.add(guest)
    var references: [GrantReference] = []
    for page in 0..<pages { references.append(guest.grant(page)) }
    guard
      let ring = Xen.FrontRing<Xen.BlkifRequest, Xen.BlkifResponse>(
        unsafePage: guest.address(0), byteCount: pages * 4096),
      let queue = BlockQueue(
        device: disk, grants: hypervisor, domain: guest.domain, number: 2, ring: references,
        layout: .native, features: features, isPersistent: isPersistent)
    else { fatalError("the ring is granted") }
    self.ring = ring
    self.queue = queue
  }

  /// A request with whole pages from a page on.
  func request(
    _ operation: Xen.BlkifOp, sector: UInt64, pages: Int, from page: Int = 16,
    isWritable: Bool = true
  ) -> Xen.BlkifRequest {
    var request = Xen.BlkifRequest()
    request.operation = operation.rawValue
    request.id = nextID
    nextID += 1
    request.sector_number = sector
    request.nr_segments = UInt8(pages)
    withUnsafeMutableBytes(of: &request.seg) { bytes in
      for index in 0..<pages {
        var segment = Xen.BlkifRequestSegment()
        segment.gref = guest.grant(page + index, isWritable: isWritable).rawValue
        segment.last_sect = 7
        bytes.storeBytes(of: segment, toByteOffset: index * 8, as: Xen.BlkifRequestSegment.self)
      }
    }
    return request
  }

  func setSegment(_ request: inout Xen.BlkifRequest, first: UInt8, last: UInt8) {
    request.seg.0.first_sect = first
    request.seg.0.last_sect = last
  }

  /// Puts requests and lets the backend see them.
  @discardableResult
  func put(_ requests: Xen.BlkifRequest...) -> Progress {
    for request in requests {
      let isPut = ring.put(request)
      #expect(isPut)
    }
    _ = ring.push()
    return queue.run()
  }

  /// Lets the disk do everything.
  func finishAll() {
    while let done = disk.finishOne() {
      _ = queue.complete(token: done.token, isGood: done.isGood)
    }
  }

  /// The operation that the last answer names.
  private(set) var lastOperation: UInt8?

  /// Answers so far: id and status.
  func answers() -> [(id: UInt64, status: Int16)] {
    var list: [(UInt64, Int16)] = []
    while let response = try? ring.take() {
      list.append((response.id, response.status))
      lastOperation = response.operation
    }
    return list
  }

  /// The only answer to one request, after the disk has done all.
  func status(of request: Xen.BlkifRequest) -> Int16? {
    put(request)
    finishAll()
    let all = answers()
    #expect(all.count == 1 && all.first?.id == request.id)
    return all.first?.status
  }

  func fill(_ page: Int, _ value: UInt8) {
    guest.address(page).initializeMemory(as: UInt8.self, repeating: value, count: 4096)
  }
}

@Suite("Block: requests")
struct BlockRequestTests {
  let setting = BlockSetting()

  @Test("what is written is read back, sector for sector")
  func roundTrip() {
    setting.fill(16, 0xaa)
    setting.fill(17, 0xbb)
    #expect(
      setting.status(of: setting.request(.write, sector: 8, pages: 2, isWritable: false)) == 0)
    #expect(setting.disk.contents[8 * 512] == 0xaa && setting.disk.contents[16 * 512] == 0xbb)
    var part = setting.request(.read, sector: 15, pages: 1, from: 20)
    setting.setSegment(&part, first: 2, last: 3)
    #expect(setting.status(of: part) == 0)
    let page = setting.guest.address(20)
    #expect(page.load(fromByteOffset: 1023, as: UInt8.self) == 0)
    #expect(page.load(fromByteOffset: 1024, as: UInt8.self) == 0xaa)
    #expect(page.load(fromByteOffset: 1536, as: UInt8.self) == 0xbb)
    #expect(page.load(fromByteOffset: 2048, as: UInt8.self) == 0)
    #expect(setting.hypervisor.mappedCount == 1)
  }

  @Test("sectors that run backwards, leave their page, wrap or lie beyond the end")
  func badSectors() {
    let end = setting.disk.sectorCount
    for (first, last) in [(5, 4), (0, 8), (7, 255), (255, 255)] as [(UInt8, UInt8)] {
      var request = setting.request(.read, sector: 0, pages: 1)
      setting.setSegment(&request, first: first, last: last)
      #expect(setting.status(of: request) == -1)
    }
    for sector in [end, end - 7, .max, .max - 7, .max - 8, 1 << 63] {
      #expect(setting.status(of: setting.request(.read, sector: sector, pages: 1)) == -1)
      #expect(setting.status(of: setting.request(.write, sector: sector, pages: 1)) == -1)
    }
    #expect(setting.status(of: setting.request(.read, sector: end - 8, pages: 1)) == 0)
    #expect(setting.disk.history.count == 1)
  }

  @Test("no segment, or more than there are")
  func segmentCounts() {
    for count in [0, 12, 255] as [UInt8] {
      var request = setting.request(.write, sector: 0, pages: 1)
      request.nr_segments = count
      #expect(setting.status(of: request) == -1)
    }
    #expect(setting.status(of: setting.request(.write, sector: 0, pages: 11)) == 0)
  }

  @Test("pages that are not granted, or not for writing")
  func badGrants() {
    var request = setting.request(.write, sector: 0, pages: 3)
    request.seg.1.gref = 99999
    #expect(setting.status(of: request) == -1)
    #expect(
      setting.status(of: setting.request(.read, sector: 0, pages: 1, isWritable: false)) == -1)
    #expect(setting.hypervisor.mappedCount == 1)
    #expect(setting.disk.history.isEmpty)
  }

  @Test("operations that do not exist, or were not offered, are not supported")
  func operations() {
    for operation in [4, 7, 100, 255] as [UInt8] {
      var request = setting.request(.read, sector: 0, pages: 1)
      request.operation = operation
      #expect(setting.status(of: request) == -2)
    }
    var none = BlockFeatures()
    none.barrier = false
    none.flush = false
    none.discard = false
    none.indirectSegments = 0
    let plain = BlockSetting(features: none)
    for operation: Xen.BlkifOp in [.writeBarrier, .flushDiskcache, .discard, .indirect] {
      #expect(plain.status(of: plain.request(operation, sector: 0, pages: 1)) == -2)
    }
  }

  @Test("nothing writes to a read-only disk")
  func readOnly() {
    setting.disk.isReadOnly = true
    #expect(setting.status(of: setting.request(.write, sector: 0, pages: 1)) == -1)
    var discard = setting.request(.discard, sector: 0, pages: 0)
    discard.seg.0.gref = 1  // where a discard has its length
    #expect(setting.status(of: discard) == -1)
    #expect(setting.status(of: setting.request(.read, sector: 0, pages: 1)) == 0)
  }

  @Test("a bad sector is an error of its request only")
  func badSector() {
    setting.disk.badSectors = [9]
    #expect(setting.status(of: setting.request(.read, sector: 8, pages: 1)) == -1)
    #expect(setting.status(of: setting.request(.read, sector: 16, pages: 1)) == 0)
  }

  @Test("discards, with lengths that are none or wrap")
  func discards() {
    func discard(_ sector: UInt64, _ count: UInt64, flag: UInt8 = 0) -> Int16? {
      var request = setting.request(.discard, sector: sector, pages: 0)
      withUnsafeMutableBytes(of: &request) { bytes in
        var discard = bytes.loadUnaligned(as: Xen.BlkifRequestDiscard.self)
        discard.nr_sectors = count
        discard.flag = flag
        bytes.storeBytes(of: discard, as: Xen.BlkifRequestDiscard.self)
      }
      return setting.status(of: request)
    }
    setting.disk.contents[512 * 3] = 1
    #expect(discard(3, 1) == 0)
    #expect(setting.disk.contents[512 * 3] == 0)
    #expect(discard(0, 0) == -1)
    #expect(discard(1, .max) == -1)
    #expect(discard(0, 4097) == -1)
    #expect(discard(0, 4096) == 0)
    #expect(discard(0, 1, flag: 1) == -2)
  }

  @Test("indirect requests: one page of segments and more")
  func indirect() {
    func indirect(count: Int, operation: Xen.BlkifOp = .write, sector: UInt64 = 0) -> Int16? {
      var request = setting.request(.indirect, sector: 0, pages: 0)
      let list = setting.guest.grant(100, isWritable: false)
      for index in 0..<min(count, 512) {
        var segment = Xen.BlkifRequestSegment()
        segment.gref = setting.guest.grant(200 + index % 300).rawValue
        segment.last_sect = 7
        setting.guest.address(100).storeBytes(
          of: segment, toByteOffset: index * 8, as: Xen.BlkifRequestSegment.self)
      }
      withUnsafeMutableBytes(of: &request) { bytes in
        var indirect = Xen.BlkifRequestIndirect()
        indirect.operation = Xen.BlkifOp.indirect.rawValue
        indirect.indirect_op = operation.rawValue
        indirect.nr_segments = UInt16(count)
        indirect.id = bytes.loadUnaligned(as: Xen.BlkifRequest.self).id
        indirect.sector_number = sector
        indirect.indirect_grefs.0 = list.rawValue
        bytes.storeBytes(of: indirect, as: Xen.BlkifRequestIndirect.self)
      }
      let status = setting.status(of: request)
      // Frontends look for the operation that they asked for, not for its form.
      if status == 0 { #expect(setting.lastOperation == operation.rawValue) }
      return status
    }
    setting.fill(200, 1)
    setting.fill(455, 9)
    #expect(indirect(count: 256) == 0)
    #expect(setting.disk.contents[0] == 1 && setting.disk.contents[255 * 4096] == 9)
    #expect(indirect(count: 256, sector: 4096 - 256 * 8 + 1) == -1)
    #expect(indirect(count: 257) == -1)
    #expect(indirect(count: 0) == -1)
    #expect(indirect(count: 1, operation: .flushDiskcache) == -1)
    #expect(indirect(count: 1, operation: .indirect) == -1)
    #expect(setting.hypervisor.mappedCount == 1)
  }
}

@Suite("Block: the queue")
struct BlockQueueTests {
  @Test("requests done in another order are answered as they are done")
  func order() {
    let setting = BlockSetting()
    setting.put(
      setting.request(.read, sector: 0, pages: 1), setting.request(.read, sector: 8, pages: 1),
      setting.request(.read, sector: 16, pages: 1))
    for index in [2, 0, 0] {
      if let done = setting.disk.finishOne(index) {
        _ = setting.queue.complete(token: done.token, isGood: done.isGood)
      }
    }
    #expect(setting.answers().map(\.id) == [3, 1, 2])
    #expect(setting.queue.isIdle)
  }

  @Test("a barrier waits for all before it, and all after it waits")
  func barrier() {
    let setting = BlockSetting()
    setting.put(
      setting.request(.write, sector: 0, pages: 1), setting.request(.write, sector: 8, pages: 1),
      setting.request(.writeBarrier, sector: 16, pages: 1),
      setting.request(.write, sector: 24, pages: 1))
    #expect(setting.disk.commands.map(\.sector) == [0, 8])
    setting.finishAll()
    #expect(setting.disk.history.map(\.action) == [.write, .write, .flush, .write, .flush, .write])
    #expect(setting.disk.history.map(\.sector) == [0, 8, 0, 16, 0, 24])
    #expect(setting.answers().map(\.id) == [1, 2, 3, 4])
    var empty = setting.request(.writeBarrier, sector: 0, pages: 0)
    empty.nr_segments = 0
    #expect(setting.status(of: empty) == 0)
  }

  @Test("a disk without room holds requests back and loses none")
  func fullDisk() {
    let setting = BlockSetting()
    setting.disk.depth = 1
    for index in 0..<20 {
      _ = setting.ring.put(setting.request(.read, sector: UInt64(index * 8), pages: 1))
    }
    _ = setting.ring.push()
    _ = setting.queue.run()
    #expect(setting.disk.commands.count == 1)
    setting.finishAll()
    #expect(setting.answers().map(\.id) == (1...20).map { UInt64($0) })
  }

  @Test("persistent pages are mapped once, and their number is limited")
  func persistent() {
    var features = BlockFeatures()
    features.persistentPages = 4
    let setting = BlockSetting(features: features, isPersistent: true)
    let again = setting.request(.write, sector: 0, pages: 3)
    for _ in 0..<5 { #expect(setting.status(of: again) == 0) }
    #expect(setting.hypervisor.mapCount == 1 + 3)
    #expect(setting.queue.persistentCount == 3)
    for _ in 0..<10 {
      #expect(setting.status(of: setting.request(.write, sector: 0, pages: 2)) == 0)
    }
    #expect(setting.queue.persistentCount == 4)
    #expect(setting.hypervisor.mappedCount == 1 + 4)
    // More pages at once than may stay: the others go with the request.
    #expect(setting.status(of: setting.request(.write, sector: 0, pages: 11)) == 0)
    #expect(setting.hypervisor.mappedCount == 1 + 4)
    #expect(setting.queue.close())
    #expect(setting.hypervisor.mappedCount == 0)
  }

  @Test("closing waits for the disk")
  func closing() {
    let setting = BlockSetting()
    setting.put(setting.request(.read, sector: 0, pages: 1))
    setting.queue.stop()
    #expect(!setting.queue.close())
    #expect(setting.hypervisor.mappedCount == 2)
    setting.finishAll()
    #expect(setting.answers().map(\.status) == [0])
    #expect(setting.queue.close())
    #expect(setting.hypervisor.mappedCount == 0)
    #expect(setting.queue.run() == Progress())
  }

  @Test("an impossible index breaks this queue, and what is in flight is let go")
  func brokenRing() {
    let setting = BlockSetting()
    setting.put(setting.request(.read, sector: 0, pages: 1))
    let index = setting.guest.memory.load(as: UInt32.self)
    setting.guest.memory.storeBytes(of: index &+ 1000, as: UInt32.self)
    #expect(setting.queue.run().isBroken)
    setting.finishAll()
    #expect(setting.queue.isIdle && setting.queue.close())
    #expect(setting.hypervisor.mappedCount == 0)
  }

  @Test("tokens that name nothing are ignored")
  func tokens() {
    let setting = BlockSetting()
    for token in [0, .max, 2 << 32, 2 << 32 | 0xffff_ffff, 3 << 32] as [UInt64] {
      #expect(setting.queue.complete(token: token, isGood: true) == Progress())
    }
  }

  @Test("a call takes a bounded number, and several pages make a longer ring")
  func bounded() {
    let setting = BlockSetting(pages: 4)
    setting.disk.depth = 200
    var count = 0
    while setting.ring.put(setting.request(.read, sector: 0, pages: 1)) { count += 1 }
    #expect(count == 128)
    _ = setting.ring.push()
    #expect(setting.queue.run(requests: 10).more)
    #expect(setting.disk.commands.count == 10)
    #expect(!setting.queue.run(requests: 200).more)
    setting.finishAll()
    #expect(setting.answers().count == 128)
  }

  @Test("a 32-bit frontend's slots are read by its layout")
  func narrow() throws {
    struct Slot: BitwiseCopyable { var words = InlineArray<27, UInt32>(repeating: 0) }
    struct Response: BitwiseCopyable { var words = InlineArray<3, UInt32>(repeating: 0) }
    let setting = BlockSetting()
    let page = setting.guest.grant(8)
    var ring = try #require(
      Xen.FrontRing<Slot, Response>(unsafePage: setting.guest.address(8), byteCount: 4096))
    let queue = try #require(
      BlockQueue(
        device: setting.disk, grants: setting.hypervisor, domain: setting.guest.domain, number: 0,
        ring: [page], layout: .narrow, features: BlockFeatures(), isPersistent: false))
    var slot = Slot()
    // op 1, 1 segment; id; sector; reference, sectors 1 to 2.
    slot.words[0] = 0x0101
    slot.words[1] = 0x8765_4321
    slot.words[2] = 0x1234_5678
    slot.words[3] = 40
    slot.words[5] = setting.guest.grant(20, isWritable: false).rawValue
    slot.words[6] = 0x0201
    setting.fill(20, 0x5a)
    let isPut = ring.put(slot)
    #expect(isPut)
    _ = ring.push()
    _ = queue.run()
    let done = setting.disk.finishOne()
    #expect(setting.disk.history.first?.sector == 40)
    #expect(setting.disk.contents[40 * 512 - 1] == 0 && setting.disk.contents[40 * 512] == 0x5a)
    #expect(setting.disk.contents[42 * 512 - 1] == 0x5a && setting.disk.contents[42 * 512] == 0)
    _ = queue.complete(token: done?.token ?? 0, isGood: true)
    let response = try? ring.take()
    #expect(response?.words[0] == 0x8765_4321 && response?.words[1] == 0x1234_5678)
    #expect(response?.words[2] == 0x0001)
  }
}
