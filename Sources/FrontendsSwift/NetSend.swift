// Frames to the backend, and what is told it about multicasts.

import CXenABI
import XenABI

private let multicastsMax = 64

extension NetQueue {
  /// The time counts from the first frame that waits for its answer.
  fileprivate func pushSent() {
    if tx.ring.unanswered == 0 { progress = OS.time() }
    tx.push(port)
  }

  fileprivate func takeBuffer(_ use: Use) -> UInt16? {
    guard let id = free.popLast() else { return nil }
    txUse[Int(id)] = use
    return id
  }

  /// Copies parts into buffers in a row.
  fileprivate func fill(_ parts: [UnsafeRawBufferPointer], _ ids: [UInt16]) {
    var at = 0
    for part in parts {
      var rest = part
      while !rest.isEmpty {
        let size = min(rest.count, pageSize - at % pageSize)
        let piece = UnsafeRawBufferPointer(rebasing: rest[..<size])
        let page = txBuffers.pages[Int(ids[at / pageSize])] + at % pageSize
        // SAFETY: `size` bytes are left in the page.
        UnsafeMutableRawBufferPointer(start: page, count: size).copyMemory(from: piece)
        rest = UnsafeRawBufferPointer(rebasing: rest[size...])
        at += size
      }
    }
  }

  fileprivate func put(_ id: UInt16, size: Int, flags: Int32) {
    var request = netif_tx_request()
    request.gref = txBuffers.references[Int(id)]
    request.flags = UInt16(truncatingIfNeeded: flags)
    request.id = id
    request.size = UInt16(truncatingIfNeeded: size)
    _ = tx.ring.put(request)
  }

  fileprivate func put(_ extra: netif_extra_info) {
    var slot = netif_tx_request()
    withUnsafeMutableBytes(of: &slot) { $0.storeBytes(of: extra, as: netif_extra_info.self) }
    _ = tx.ring.put(slot)
    extras += 1
  }
}

extension NetDevice {
  private func isAllowed(_ offload: NetOffload) -> Bool {
    switch Int32(offload.gsoType) {
    case XEN_NETIF_GSO_TYPE_NONE: !offload.isChecksumBlank || hasChecksum || hasChecksum6
    case XEN_NETIF_GSO_TYPE_TCPV4: hasGSO4 && offload.isChecksumBlank && offload.gsoSize != 0
    case XEN_NETIF_GSO_TYPE_TCPV6: hasGSO6 && offload.isChecksumBlank && offload.gsoSize != 0
    default: false
    }
  }

  /// Sends a frame made of parts; equal flows stay in order.
  ///
  /// EAGAIN: no room now. Any context.
  public func send(
    _ parts: [UnsafeRawBufferPointer], _ offload: NetOffload = NetOffload(), flow: UInt32 = 0
  ) throws(Failure) {
    var length = 0
    for part in parts {
      if part.count > frameMax - length { throw Failure(XEN_EMSGSIZE) }
      length += part.count
    }
    let pages = (length + pageSize - 1) / pageSize
    let hasExtra = offload.gsoType != 0
    if !isUsable { throw Failure(XEN_ENOTCONN) }
    if length < headerMin || !isAllowed(offload) { throw Failure(XEN_EINVAL) }
    if (pages > 1 && !hasSG) || pages > options.txBuffers { throw Failure(XEN_EMSGSIZE) }
    let queue = queues[Int(flow) % queues.count]
    if queue.free.count < pages || Int(queue.tx.ring.free) < pages + (hasExtra ? 1 : 0) {
      isFull = true
      throw Failure(XEN_EAGAIN)
    }

    let ids = (0..<pages).compactMap { queue.takeBuffer($0 == 0 ? .frame : .piece) }
    queue.fill(parts, ids)
    for (index, id) in ids.enumerated() {
      var flags = index + 1 < pages ? NETTXF_more_data : 0
      if index > 0 {
        queue.put(id, size: min(length - index * pageSize, pageSize), flags: flags)
        continue
      }
      if offload.isChecksumBlank { flags |= NETTXF_csum_blank | NETTXF_data_validated }
      if hasExtra { flags |= NETTXF_extra_info }
      queue.put(id, size: length, flags: flags)
      if !hasExtra { continue }
      var extra = netif_extra_info()
      extra.type = UInt8(XEN_NETIF_EXTRA_TYPE_GSO)
      extra.u.gso.size = offload.gsoSize
      extra.u.gso.type = offload.gsoType
      queue.put(extra)
    }
    queue.pushSent()
  }

  /// One response; false: it answers nothing that was sent.
  func isAnswer(_ response: netif_tx_response, _ queue: NetQueue<OS>) -> Bool {
    let id = Int(response.id)
    queue.progress = OS.time()
    if Int32(response.status) == NETIF_RSP_NULL {
      if queue.extras == 0 { return false }
      queue.extras -= 1
      return true
    }
    guard id < queue.txUse.count, queue.txUse[id] != .free else { return false }
    if queue.txUse[id] == .frame {
      if Int32(response.status) == NETIF_RSP_OKAY { sent &+= 1 } else { sendErrors &+= 1 }
    }
    queue.txUse[id] = .free
    queue.free.append(response.id)
    return true
  }

  // Multicast filter.

  func tell(_ address: [UInt8], isAdded: Bool) throws(Failure) {
    // Told at the next connection.
    guard isUsable, hasMulticast, let queue = queues.first else { return }
    guard queue.tx.ring.free >= 2, let id = queue.takeBuffer(.piece) else {
      throw Failure(XEN_EAGAIN)
    }
    var extra = netif_extra_info()
    extra.type = UInt8(isAdded ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD : XEN_NETIF_EXTRA_TYPE_MCAST_DEL)
    withUnsafeMutableBytes(of: &extra.u.mcast.addr) { $0.copyBytes(from: address.prefix(6)) }
    queue.put(id, size: 0, flags: NETTXF_extra_info)
    queue.put(extra)
    queue.pushSent()
  }

  /// Adds or takes away an address that the backend's filter lets through, up to 64.
  ///
  /// Without a filter all multicasts come. Any context.
  public func setMulticast(_ address: [UInt8], isAdded: Bool) throws(Failure) {
    let place = multicasts.firstIndex(of: address)
    if (place != nil) == isAdded { return }
    if isAdded, multicasts.count == multicastsMax { throw Failure(XEN_ENOSPC) }
    try tell(address, isAdded: isAdded)
    if let place { multicasts.remove(at: place) } else { multicasts.append(address) }
  }
}
