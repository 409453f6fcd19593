// A guest that fills its block ring with whatever comes to mind, between requests that are good. The
// disk checks that it is told nothing impossible; at the end nothing is mapped, and every good request
// has had its one answer.

import CXenABI
import ControlCore
import XenABI

/// A hostile guest against one queue.
public final class BlockFuzz {
  private var random: SeededNumbers
  private let hypervisor = FakeHypervisor()
  private let guest = FakeGuest(1, pages: 24)
  private let disk = FakeDisk(sectors: 256)
  private let queue: BlockQueue<FakeDisk, FakeHypervisor>
  private var ring: Xen.FrontRing<Xen.BlkifRequest, Xen.BlkifResponse>
  private var references: [UInt32] = []
  private var outstanding: Set<UInt64> = []
  private var nextID: UInt64 = 0

  /// A guest with pages that are granted, some of them read-only.
  public init(seed: UInt64) {
    random = SeededNumbers(seed: seed)
    hypervisor.add(guest)
    let own = guest.grant(0)
    for page in 1..<24 {
      references.append(guest.grant(page, isWritable: random.below(4) > 0).rawValue)
    }
    references += [0, 7, 100_000, .max]
    var features = BlockFeatures()
    features.persistentPages = 6
    disk.depth = 1 + random.below(8)
    disk.isReadOnly = random.below(6) == 0
    disk.canFlush = random.below(4) > 0
    disk.canDiscardSecurely = random.below(2) == 0
    guard
      let ring = Xen.FrontRing<Xen.BlkifRequest, Xen.BlkifResponse>(
        unsafePage: guest.address(0), byteCount: pageSize),
      let queue = BlockQueue(
        device: disk, grants: hypervisor, domain: guest.domain, number: 0, ring: [own],
        layout: .native, features: features, isPersistent: random.below(2) == 0)
    else { fatalError("the ring is granted") }
    self.ring = ring
    self.queue = queue
  }

  /// Makes so many random steps; what went wrong, or `nil`.
  public func run(steps: Int) -> String? {
    for step in 0..<steps {
      switch random.below(6) {
      case 0, 1, 2: put()
      case 3: _ = queue.run(requests: 1 + random.below(40))
      case 4: finishSome()
      default:
        if let fault = takeAnswers() { return "step \(step): \(fault)" }
        // Shared memory changes at any time; the ring's indexes are left alone here.
        let page = 1 + random.below(23)
        guest.address(page).storeBytes(
          of: random.next(), toByteOffset: random.below(512) * 8, as: UInt64.self)
      }
      if queue.persistentCount > 6 { return "step \(step): too many pages stay mapped" }
    }
    return end()
  }

  private func end() -> String? {
    for _ in 0..<1000 where !(outstanding.isEmpty && queue.isIdle) {
      _ = queue.run()
      finishSome()
      if let fault = takeAnswers() { return fault }
    }
    if !outstanding.isEmpty { return "\(outstanding.count) requests without an answer" }
    // And now the indexes.
    guest.memory.storeBytes(of: UInt32(truncatingIfNeeded: random.next()), as: UInt32.self)
    for _ in 0..<40 {
      _ = queue.run()
      finishSome()
    }
    queue.stop()
    while !disk.commands.isEmpty { finishSome() }
    for _ in 0..<200 where !queue.close() { finishSome() }
    return queue.close() && hypervisor.mappedCount == 0 ? nil : "pages stay mapped"
  }

  private func finishSome() {
    for _ in 0..<random.below(4) + 1 where !disk.commands.isEmpty {
      guard let done = disk.finishOne(random.below(disk.commands.count)) else { return }
      _ = queue.complete(token: done.token, isGood: random.below(20) > 0)
    }
    if random.below(4) == 0 { _ = queue.complete(token: random.next(), isGood: true) }
  }

  private func takeAnswers() -> String? {
    do throws(Xen.RingBroken) {
      while let response = try ring.take() {
        if outstanding.remove(response.id) == nil { return "an answer to nothing" }
        if response.status > 0 || response.status < -2 { return "a status that is none" }
      }
    } catch { return "more answers than requests" }
    return nil
  }

  private func put() {
    guard ring.free > 0 else { return }
    var request = Xen.BlkifRequest()
    request.operation = UInt8(random.below(12) == 0 ? random.below(256) : random.below(7))
    request.nr_segments = UInt8(random.below(10) == 0 ? random.below(256) : random.below(12))
    request.id = nextID
    request.sector_number = random.below(8) == 0 ? random.next() : UInt64(random.below(250))
    withUnsafeMutableBytes(of: &request.seg) { bytes in
      for index in 0..<11 {
        var segment = Xen.BlkifRequestSegment()
        segment.gref = random.pick(references)
        segment.first_sect = UInt8(random.below(random.below(9) == 0 ? 256 : 4))
        segment.last_sect = UInt8(random.below(random.below(9) == 0 ? 256 : 8))
        bytes.storeBytes(of: segment, toByteOffset: index * 8, as: Xen.BlkifRequestSegment.self)
      }
    }
    if request.operation == Xen.BlkifOp.indirect.rawValue { makeIndirect(&request) }
    if request.operation == Xen.BlkifOp.discard.rawValue, random.below(2) == 0 {
      request.seg.0 = Xen.BlkifRequestSegment()
      request.seg.0.gref = UInt32(random.below(300))
    }
    guard ring.put(request) else { return }
    outstanding.insert(nextID)
    nextID += 1
    _ = ring.push()
  }

  /// The list lies in a page that is written over all the time.
  private func makeIndirect(_ request: inout Xen.BlkifRequest) {
    var indirect = Xen.BlkifRequestIndirect()
    indirect.operation = request.operation
    indirect.indirect_op = UInt8(random.below(3))
    indirect.nr_segments = UInt16(random.pick([0, 1, 5, 20, 256, 257, 65535]))
    indirect.id = request.id
    indirect.sector_number = request.sector_number
    indirect.indirect_grefs.0 = random.pick(references)
    let page = 1 + random.below(23)
    for index in 0..<20 {
      var segment = Xen.BlkifRequestSegment()
      segment.gref = random.pick(references)
      segment.last_sect = UInt8(random.below(8))
      guest.address(page).storeBytes(
        of: segment, toByteOffset: index * 8, as: Xen.BlkifRequestSegment.self)
    }
    withUnsafeMutableBytes(of: &request) {
      $0.storeBytes(of: indirect, as: Xen.BlkifRequestIndirect.self)
    }
  }
}
