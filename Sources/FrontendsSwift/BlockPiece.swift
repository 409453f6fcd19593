// Pages and pieces of the block frontend: how a part of a request becomes a ring request.
//
//     pool  --take-->  a piece's pages  --put-->  pool
//                           |  a backend that keeps one: the place stays empty until it is refilled
//                           '--stop-->  limbo  --tearDown-->  pool

import CXenABI
import XenABI

/// A page for data under way.
final class PoolPage {
  /// `nil`: was lost to the backend.
  var memory: UnsafeMutableRawPointer?
  /// `nil`: not granted now.
  var reference: UInt32?
}

/// A part of a request that goes as one ring request.
final class Piece {
  var request: BlockRequest?
  var sector: UInt64 = 0
  var count: UInt64 = 0
  var data: UnsafeMutableRawPointer?
  /// BLKIF_OP of the work.
  var operation: Int32 = 0
  /// Wrapped in BLKIF_OP_INDIRECT; `table` has the segments.
  var isIndirect: Bool { table != nil }
  var table: PoolPage?
  var pages: [PoolPage] = []
  var tries: UInt32 = 0
  var id: UInt64 = 0
  var time: UInt64 = 0

  var hasData: Bool { operation != BLKIF_OP_FLUSH_DISKCACHE && operation != BLKIF_OP_DISCARD }
  var segments: Int { hasData ? Int((count + sectorsPerPage - 1) / sectorsPerPage) : 0 }

  /// What is left of a request.
  func become(_ request: BlockRequest) {
    self.request = request
    sector = request.sector + request.issued
    count = request.count - request.issued
    // SAFETY: the caller's memory has room for all sectors; offsets stay below their number.
    data = request.data.map { $0 + Int(truncatingIfNeeded: request.issued &* sectorSize) }
    tries = 0
  }

  /// What another is, without its pages.
  func become(_ other: Piece) {
    request = other.request
    sector = other.sector
    count = other.count
    data = other.data
    tries = other.tries
    id = other.id
  }

  /// Leaves out what has gone.
  func advance(_ gone: UInt64) {
    sector &+= gone
    count -= gone
    // SAFETY: as in become(_:).
    data = data.map { $0 + Int(truncatingIfNeeded: hasData ? gone &* sectorSize : 0) }
  }

  /// Data and table, which the piece has no more.
  func takeAllPages() -> [PoolPage] {
    defer {
      table = nil
      pages = []
    }
    guard let table else { return pages }
    return pages + [table]
  }

  /// Copies out of the pages, whose contents the backend may still change.
  func copyOut() {
    forEachPage { data, page, size in xenabi_copy(data, page, size) }
  }

  /// Copies into the pages.
  func copyIn() {
    forEachPage { data, page, size in xenabi_copy(page, data, size) }
  }

  private func forEachPage(
    _ body: (UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int) -> Void
  ) {
    var left = Int(truncatingIfNeeded: count &* sectorSize)
    guard var data else { return }
    for page in pages where left > 0 {
      guard let memory = page.memory else { return }
      let size = min(left, pageSize)
      // SAFETY: a page holds `size` bytes, and the request's data `left`.
      body(data, memory, size)
      data += size
      left -= size
    }
  }
}

extension BlockDevice {
  // Pool.

  /// Ends a page's grant, and gives the page back to the pool unless the backend keeps it.
  func release(_ page: PoolPage) {
    if let reference = page.reference, !bus.grants.end(reference, page.memory) {
      page.memory = nil
    }
    page.reference = nil
    pool.append(page)
  }

  /// Fresh pages for those that were lost.
  ///
  /// Driver context.
  func refillPool() {
    for page in pool where page.memory == nil { page.memory = OS.pages(1) }
  }

  /// The page that was used last and is there, granted.
  private func takePage(readOnly: Bool) -> PoolPage? {
    guard let index = pool.lastIndex(where: { $0.memory != nil }), let memory = pool[index].memory
    else { return nil }
    let page = pool[index]
    if page.reference == nil {
      page.reference = bus.grants.grant(
        memory, to: backendID, readOnly: readOnly && !isPersistent)
      if page.reference == nil { return nil }
    }
    pool.remove(at: index)
    return page
  }

  func putPages(of piece: Piece) {
    for page in piece.takeAllPages() {
      if isPersistent { pool.append(page) } else { release(page) }
    }
  }

  // Pieces.

  func put(_ piece: Piece) {
    piece.request = nil
    freePieces.append(piece)
  }

  /// Keeps the order in which pieces were issued first.
  func tryAgain(_ piece: Piece) {
    let place = retry.firstIndex { $0.id >> 32 >= piece.id >> 32 }
    retry.insert(piece, at: place ?? retry.count)
  }

  func end(_ piece: Piece, _ failure: Failure?) {
    let request = piece.request
    let count = piece.count
    putPages(of: piece)
    put(piece)
    if let request { account(request, count, failure) }
  }

  /// Gets pages for as much of a piece as there are; false: for nothing of it.
  func takePages(for piece: Piece) -> Bool {
    let readOnly = piece.operation != BLKIF_OP_READ
    var wanted = UInt32(clamping: piece.segments)
    // Barriers go plainly: an indirect request can only read and write.
    if segmentsMax > plainSegments, wanted > plainSegments,
      piece.operation != BLKIF_OP_WRITE_BARRIER
    {
      piece.table = takePage(readOnly: true)
    }
    wanted = min(wanted, piece.isIndirect ? segmentsMax : plainSegments)
    while piece.pages.count < Int(wanted), let page = takePage(readOnly: readOnly) {
      piece.pages.append(page)
    }
    if piece.pages.isEmpty, wanted > 0 {
      putPages(of: piece)
      return false
    }
    piece.count = min(piece.count, UInt64(piece.pages.count) * sectorsPerPage)
    return true
  }

  private func fill(_ segments: UnsafeMutableRawBufferPointer, of piece: Piece) {
    var left = piece.count
    for (index, page) in piece.pages.enumerated() where left > 0 {
      let sectors = min(left, sectorsPerPage)
      var segment = blkif_request_segment()
      segment.gref = page.reference ?? Grants<OS>.none
      segment.last_sect = UInt8(truncatingIfNeeded: sectors - 1)
      segments.storeBytes(
        of: segment, toByteOffset: index * MemoryLayout<blkif_request_segment>.stride,
        as: blkif_request_segment.self)
      left -= sectors
    }
  }

  /// A plain request, and what the others have in the same places.
  private func plainRequest(_ piece: Piece) -> blkif_request {
    var request = blkif_request()
    request.operation = UInt8(truncatingIfNeeded: piece.operation)
    request.nr_segments = UInt8(truncatingIfNeeded: piece.segments)
    request.handle = UInt16(truncatingIfNeeded: id)
    request.id = piece.id
    request.sector_number = piece.hasData ? piece.sector : 0
    withUnsafeMutableBytes(of: &request.seg) { fill($0, of: piece) }
    return request
  }

  private func indirectRequest(_ piece: Piece, _ table: PoolPage) -> blkif_request_indirect {
    if let memory = table.memory {
      // SAFETY: a page has room for as many segments as segmentsMax may be.
      fill(UnsafeMutableRawBufferPointer(start: memory, count: pageSize), of: piece)
    }
    var request = blkif_request_indirect()
    request.operation = UInt8(BLKIF_OP_INDIRECT)
    request.indirect_op = UInt8(truncatingIfNeeded: piece.operation)
    request.nr_segments = UInt16(truncatingIfNeeded: piece.segments)
    request.id = piece.id
    request.sector_number = piece.sector
    request.handle = UInt16(truncatingIfNeeded: id)
    request.indirect_grefs.0 = table.reference ?? Grants<OS>.none
    return request
  }

  private func discardRequest(_ piece: Piece) -> blkif_request_discard {
    var request = blkif_request_discard()
    request.operation = UInt8(BLKIF_OP_DISCARD)
    request.flag = piece.request?.operation == .discardSecure ? UInt8(BLKIF_DISCARD_SECURE) : 0
    request.handle = UInt16(truncatingIfNeeded: id)
    request.id = piece.id
    request.sector_number = piece.sector
    request.nr_sectors = piece.count
    return request
  }

  /// Writes a piece into the ring.
  func issue(_ piece: Piece, _ queue: BlockQueue<OS>, _ slot: Int) {
    serial &+= 1
    piece.id = serial << 32 | UInt64(slot)
    piece.time = OS.time()
    progress = piece.time
    if piece.hasData, piece.operation != BLKIF_OP_READ { piece.copyIn() }
    var request: blkif_request
    if piece.operation == BLKIF_OP_DISCARD {
      request = blkif_request()
      let discard = discardRequest(piece)
      withUnsafeMutableBytes(of: &request) { $0.storeBytes(of: discard, as: type(of: discard)) }
    } else if let table = piece.table {
      request = blkif_request()
      let indirect = indirectRequest(piece, table)
      withUnsafeMutableBytes(of: &request) { $0.storeBytes(of: indirect, as: type(of: indirect)) }
    } else {
      request = plainRequest(piece)
    }
    queue.slots[slot] = piece
    queue.underWay += 1
    underWay += 1
    _ = queue.shared.ring.put(request)
  }
}
