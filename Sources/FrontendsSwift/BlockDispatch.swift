// The block frontend.
//
//     submit --> waiting --+--> piece, pages, slot --> ring --> backend
//                retry ----'        |                             |
//                  ^                '<-------- response ----------'
//                  '--- pieces that were under way when the backend went
//
// A request becomes pieces, each of which fits into one ring request. A piece is issued in a slot of a
// queue, and its id names slot and serial number: a response is only believed if its id is that of the
// piece in the slot, so that one that is made up, doubled or late finds nothing. Then the device is
// closed and connected anew, and what was under way is issued again: reads and writes bear that.
//
// Each piece has as many pages of the pool as its data needs. Without persistent grants they are granted
// for the one request; a page that the backend keeps leaves the pool for the queue of Grants.swift, and
// the pool gets another. With them, a page is granted once for each connection.

import CXenABI
import XenABI

/// A ring and what is under way in it.
final class BlockQueue<OS: PortingLayer> {
  let shared: SharedRing<OS, blkif_request, blkif_response>
  var port = Events<OS>.none
  var slots: [Piece?]
  var underWay = 0

  init(_ shared: SharedRing<OS, blkif_request, blkif_response>) {
    self.shared = shared
    slots = Array(repeating: nil, count: Int(shared.ring.count))
  }

  /// Whether an answer is overdue.
  func isOverdue(_ now: UInt64, _ timeout: UInt64) -> Bool {
    slots.contains { piece in piece.map { now &- $0.time > timeout } ?? false }
  }
}

extension BlockDevice {
  // Requests.

  /// Counts a part as done.
  ///
  /// Parts without data count as one.
  func account(_ request: BlockRequest, _ count: UInt64, _ failure: Failure?) {
    if request.failure == nil { request.failure = failure }
    request.left &-= max(count, 1)
    if request.left != 0 { return }
    if barrier === request { barrier = nil }
    let done = request.done
    done?(request)
  }

  private func operation(of request: BlockRequest) -> Int32 {
    switch request.operation {
    case .read: BLKIF_OP_READ
    case .write: BLKIF_OP_WRITE
    case .writeBarrier: hasBarrier ? BLKIF_OP_WRITE_BARRIER : BLKIF_OP_WRITE
    case .flush: BLKIF_OP_FLUSH_DISKCACHE
    case .discard, .discardSecure: BLKIF_OP_DISCARD
    }
  }

  // Issuing.

  private func queueWithRoom() -> BlockQueue<OS>? {
    for _ in queues {
      let queue = queues[nextQueue % queues.count]
      nextQueue = (nextQueue + 1) % queues.count
      if queue.underWay < queue.slots.count, queue.shared.ring.free > 0 { return queue }
    }
    return nil
  }

  /// Turns the head of the waiting requests, or of the retries, into a piece; `nil`: nothing may go now.
  ///
  /// The head is left in place: `issued` takes off what has gone.
  private func nextPiece() -> Piece? {
    if let head = retry.first {
      guard let piece = freePieces.popLast() else { return nil }
      piece.become(head)
      if let request = piece.request { piece.operation = operation(of: request) }
      return piece
    }
    guard let request = first, barrier == nil || barrier === request else { return nil }
    if request.operation == .writeBarrier, barrier == nil {
      // The frontend itself waits, as queues know nothing of each other.
      if underWay > 0 { return nil }
      barrier = request
    }
    guard let piece = freePieces.popLast() else { return nil }
    piece.become(request)
    piece.operation = operation(of: request)
    return piece
  }

  private func issued(_ piece: Piece) {
    if let head = retry.first {
      head.advance(piece.count)
      if head.count > 0 { return }
      retry.removeFirst()
      put(head)
    } else if let request = first {
      request.issued += piece.count
      if request.issued != request.count { return }
      first = request.next
      request.next = nil
      if first == nil { last = nil }
    }
  }

  /// What this backend does not offer is answered here.
  private func isAnsweredHere(_ piece: Piece) -> (Bool, Failure?) {
    let missing = Failure(XEN_EOPNOTSUPP)
    switch piece.operation {
    case BLKIF_OP_FLUSH_DISKCACHE: return (!hasFlush, missing)
    case BLKIF_OP_DISCARD:
      let isSecure = piece.request?.operation == .discardSecure
      return (isSecure ? !hasSecureDiscard : !hasDiscard, missing)
    // A barrier without data: all before it has been answered, nothing has gone since.
    default: return (piece.count == 0 && piece.operation == BLKIF_OP_WRITE, nil)
    }
  }

  /// Issues as much as there is room for.
  ///
  /// Any context.
  func dispatch() {
    if !isUsable || isDispatching || fault != nil { return }
    isDispatching = true
    while let queue = queueWithRoom(), let piece = nextPiece() {
      let (isAnswered, failure) = isAnsweredHere(piece)
      if isAnswered {
        issued(piece)
        end(piece, failure)
        continue
      }
      guard !piece.hasData || takePages(for: piece),
        let slot = queue.slots.firstIndex(where: { $0 == nil })
      else {
        put(piece)
        break
      }
      issue(piece, queue, slot)
      issued(piece)
    }
    isDispatching = false
    for queue in queues { queue.shared.push(queue.port) }
  }

  // Responses.

  /// A feature that was offered and does not work is left out from now on.
  ///
  /// True: try otherwise.
  private func leaveOutFeature(of piece: Piece) -> Bool {
    if piece.isIndirect {
      segmentsMax = plainSegments
      return true
    }
    switch piece.operation {
    case BLKIF_OP_WRITE_BARRIER:
      hasBarrier = false
      return true  // as a plain write, in whose place it still goes alone
    case BLKIF_OP_FLUSH_DISKCACHE: hasFlush = false
    case BLKIF_OP_DISCARD:
      hasDiscard = false
      hasSecureDiscard = false
    default: break
    }
    return false
  }

  /// Believes a response only if it is the answer to what stands in the slot that it names.
  private func isAnswer(_ answer: blkif_response, _ queue: BlockQueue<OS>) -> Bool {
    let slot = Int(UInt32(truncatingIfNeeded: answer.id))
    let operation = Int32(answer.operation)
    guard slot < queue.slots.count, let piece = queue.slots[slot], piece.id == answer.id,
      operation == piece.operation || (piece.isIndirect && operation == BLKIF_OP_INDIRECT)
    else { return false }
    queue.slots[slot] = nil
    queue.underWay -= 1
    underWay -= 1
    progress = OS.time()
    switch Int32(answer.status) {
    case BLKIF_RSP_OKAY:
      if piece.operation == BLKIF_OP_READ { piece.copyOut() }
      end(piece, nil)
    case BLKIF_RSP_EOPNOTSUPP:
      if leaveOutFeature(of: piece) {
        putPages(of: piece)
        tryAgain(piece)
      } else {
        end(piece, Failure(XEN_EOPNOTSUPP))
      }
    default: end(piece, Failure(XEN_EIO))
    }
    return true
  }

  /// Event context; and each poll.
  func queueEvent(_ queue: BlockQueue<OS>) {
    if !isUsable || fault != nil { return }
    if !queue.shared.drain(budget: queue.slots.count, { isAnswer($0, queue) }) {
      isUsable = false
      reportFault("block: impossible response")
    }
    dispatch()
  }

  // For callers.

  /// `done` will be called, perhaps has been; thrown: it was refused, and `done` is not called.
  ///
  /// Any context.
  public func submit(_ request: BlockRequest) throws(Failure) {
    let operation = request.operation
    if isGone { throw Failure(XEN_ENODEV) }
    if operation == .flush {
      request.sector = 0
      request.count = 0
    } else if request.count == 0, operation != .writeBarrier {
      throw Failure(XEN_EINVAL)
    }
    if request.count > UInt64.max / sectorSize { throw Failure(XEN_EINVAL) }
    // Before the first connection nothing is known yet: the backend judges.
    if connections > 0 {
      if request.count > sectors || request.sector > sectors - request.count {
        throw Failure(XEN_EINVAL)
      }
      if isReadOnly, operation != .read, operation != .flush { throw Failure(XEN_EROFS) }
    }
    if phase == .running,
      (operation == .flush && !hasFlush) || (operation == .discard && !hasDiscard)
        || (operation == .discardSecure && !hasSecureDiscard)
    {
      throw Failure(XEN_EOPNOTSUPP)
    }
    request.failure = nil
    request.issued = 0
    request.left = max(request.count, 1)
    request.next = nil
    if first == nil, retry.isEmpty, underWay == 0 { progress = OS.time() }
    if let last { last.next = request } else { first = request }
    last = request
    dispatch()
  }

  /// Submits and waits.
  ///
  /// Driver context.
  public func wait(_ request: BlockRequest) throws(Failure) {
    var isDone = false
    request.done = { _ in
      isDone = true
      OS.wake()
    }
    defer { request.done = nil }
    try submit(request)
    while !isDone {
      OS.wait(until: OS.time() &+ 1_000_000_000)
      bus.poll()
    }
    if let failure = request.failure { throw failure }
  }

  /// Ends everything that waits.
  func failAll(_ failure: Failure) {
    let pieces = retry
    var next = first
    retry = []
    first = nil
    last = nil
    while let request = next {
      next = request.next
      request.next = nil
      // Pieces of it under way end by themselves; what has not gone is counted here.
      account(request, request.count - request.issued, failure)
    }
    for piece in pieces { end(piece, failure) }
  }
}
