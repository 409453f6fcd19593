// One queue of a disk: takes requests out of the ring, hands them to the disk, and answers what is
// done.
//
//   ring -> BlkifRequest (copied, checked) -> pages mapped -> BlockDevice.submit
//                                                                   |
//   ring <- answer <- pages unmapped or kept <- complete(token) <---+
//
// A barrier is a sequence: nothing more is taken until all before it is done, then flush, write,
// flush, answer.

import XenABI

/// How far a request has come.
private enum BlockStage: UInt8 {
  case single
  case flushBefore
  case write
  case flushAfter
}

/// A request that the disk works on, or the place for one: its lists stay, so that the next one in the
/// same place needs no memory.
private final class BlockInFlight {
  var request = BlkifRequest()
  var pages = ReusedList<HeldPage>()
  var pieces: [BlockPiece] = []
  var stage = BlockStage.single
  var isBusy = false
}

/// The backend's end of one queue.
public final class BlockQueue<Device: BlockDevice, Grants: GrantAccess> {
  private let device: Device
  private let grants: Grants
  private let domain: DomainID
  private let features: BlockFeatures
  /// The upper half of the tokens of this queue.
  private let number: UInt32
  private var ring: BlkifRing
  private var ringPages: [MappedPage]
  private var persistent: PersistentGrants<Grants>
  /// By the lower half of a token; as many as the ring has slots.
  private let inFlight: [BlockInFlight]
  private var free: [Int] = []
  /// Commands that the disk had no room for, in order.
  private var waiting: [BlockCommand] = []
  /// A barrier that waits for all before it.
  private var barrier: Int?
  private var isStopped = false
  private var isBroken = false

  /// Maps a ring; `nil` where the guest has not granted it so.
  public init?(
    device: Device, grants: Grants, domain: DomainID, number: Int,
    ring references: [GrantReference], layout: BlkifLayout, features: BlockFeatures,
    isPersistent: Bool
  ) {
    guard
      let pages = grants.map(references, of: domain, isWritable: true, isConsecutive: true)
    else { return nil }
    let byteCount = references.count * pageSize
    guard let first = pages.first,
      let ring = BlkifRing(unsafePages: first.address, byteCount: byteCount, layout: layout)
    else {
      grants.unmap(pages)
      return nil
    }
    self.device = device
    self.grants = grants
    self.domain = domain
    self.features = features
    self.number = UInt32(truncatingIfNeeded: number)
    self.ring = ring
    ringPages = pages
    persistent = PersistentGrants(
      grants: grants, domain: domain, limit: isPersistent ? features.persistentPages : 0)
    let slots = BlkifRing.slotCount(byteCount: byteCount, layout: layout)
    inFlight = (0..<slots).map { _ in BlockInFlight() }
    free = Array((0..<slots).reversed())
  }

  /// Requests that the disk works on.
  public var inFlightCount: Int { inFlight.count - free.count }

  /// Pages that stay mapped, the ring's own not counted.
  public var persistentCount: Int { persistent.count }

  /// Takes requests, a bounded number at most; called on the guest's event, and again after others
  /// have had their turn if ``Progress/more`` says so.
  public func run(requests limit: Int = 64) -> Progress {
    var progress = Progress()
    guard !isBroken else { return Progress(isBroken: true) }
    guard !isStopped else { return progress }
    submitWaiting()
    var left = limit
    do throws(Xen.RingBroken) {
      while barrier == nil, waiting.isEmpty, !free.isEmpty {
        guard left > 0 else {
          progress.more = true
          break
        }
        guard let slot = try ring.take() else {
          if ring.wait() { continue }
          break
        }
        left -= 1
        start(slot)
      }
    } catch {
      isBroken = true
      progress.isBroken = true
    }
    progress.notify = ring.push()
    return progress
  }
  private func start(_ slot: Xen.BlkifRequest) {
    guard let index = free.last else { return }
    let one = inFlight[index]
    one.request.begin(slot)
    do throws(BlkifRefusal) {
      try one.request.read(slot, device: device, features: features)
      if !one.request.indirectPages.isEmpty {
        try one.request.readIndirectSegments(grants, of: domain, device: device)
      }
      let isWritable = one.request.action == .read
      if !one.request.segments.isEmpty,
        !persistent.acquire(one.request.segments, isWritable: isWritable, into: &one.pages)
      {
        throw .error
      }
    } catch {
      ring.put(id: one.request.id, operation: one.request.operation, status: error.status)
      return
    }
    free.removeLast()
    one.isBusy = true
    one.stage = one.request.isBarrier ? .flushBefore : .single
    if one.request.isBarrier {
      barrier = index
      startBarrier()
    } else {
      submit(command(for: index, one.request.action))
    }
  }

  /// Begins the barrier once nothing else is in flight.
  private func startBarrier() {
    guard let index = barrier, inFlightCount == 1, waiting.isEmpty else { return }
    submit(command(for: index, .flush))
  }
  private func command(for index: Int, _ action: BlockAction) -> BlockCommand {
    var command = BlockCommand(action: action)
    command.token = UInt64(number) << 32 | UInt64(index)
    guard action != .flush else { return command }
    let one = inFlight[index]
    command.sector = one.request.sector
    command.sectorCount = one.request.sectorCount
    command.isSecure = one.request.isSecure
    one.pieces.removeAll(keepingCapacity: true)
    for place in one.request.segments.indices {
      let segment = one.request.segments[place]
      let page = one.pages[place].page
      let offset = Int(segment.first) * 512
      one.pieces.append(
        BlockPiece(
          address: page.address + offset, machine: page.machine + UInt64(offset),
          count: Int(segment.sectorCount) * 512))
    }
    command.pieces = one.pieces
    return command
  }
  private func submit(_ command: BlockCommand) {
    if !waiting.isEmpty || !device.submit(command) { waiting.append(command) }
  }

  /// Hands over what the disk had no room for; called when any queue's command is done.
  public func submitWaiting() {
    var done = 0
    while done < waiting.count, device.submit(waiting[done]) { done += 1 }
    waiting.removeFirst(done)
  }

  /// Notes that the disk has done a command, well or not; a token that is not in flight is ignored.
  public func complete(token: UInt64, isGood: Bool) -> Progress {
    guard let index = Int(exactly: token & 0xffff_ffff), token >> 32 == UInt64(number),
      index < inFlight.count, inFlight[index].isBusy
    else { return Progress() }
    let one = inFlight[index]
    if isGood, let next = nextAction(after: one) {
      submit(command(for: index, next))
    } else {
      finish(one, at: index, isGood: isGood)
    }
    submitWaiting()
    if isBroken { return Progress(isBroken: true) }
    // There is room for what waits in the ring; one that is stopped only publishes the answer.
    return isStopped ? Progress(notify: ring.push()) : run()
  }

  /// What a barrier does next.
  private func nextAction(after one: BlockInFlight) -> BlockAction? {
    switch one.stage {
    case .single, .flushAfter:
      return nil
    case .flushBefore:
      guard one.request.action == .write else { return nil }
      one.stage = .write
      return .write
    case .write:
      one.stage = .flushAfter
      return .flush
    }
  }
  private func finish(_ one: BlockInFlight, at index: Int, isGood: Bool) {
    persistent.release(&one.pages)
    one.isBusy = false
    free.append(index)
    if barrier == index { barrier = nil } else { startBarrier() }
    if !isBroken {
      ring.put(
        id: one.request.id, operation: one.request.operation, status: isGood ? .okay : .error)
    }
  }

  /// Takes no more requests; those in flight go on.
  public func stop() { isStopped = true }

  /// Takes no more requests and answers none; what the disk was given goes on.
  func abandon() {
    isBroken = true
    isStopped = true
  }

  /// Whether the disk works on nothing of this queue.
  public var isIdle: Bool { inFlightCount == 0 }

  /// Publishes the last answers and unmaps everything; false as long as the disk may still read or
  /// write the guest's pages.
  public func close() -> Bool {
    guard isIdle else { return false }
    guard !ringPages.isEmpty else { return true }
    if !isBroken { _ = ring.push() }
    isStopped = true
    persistent.removeAll()
    grants.unmap(ringPages)
    ringPages = []
    return true
  }
}
