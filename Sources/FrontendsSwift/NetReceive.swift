// Frames from the backend, slot by slot.

import CXenABI
import XenABI

extension NetDevice {
  private func endFrame(_ queue: NetQueue<OS>) {
    queue.isOpen = false
    if queue.isBad || queue.length < headerMin {
      receiveErrors &+= 1
      return
    }
    received &+= 1
    // SAFETY: `length` bytes of the queue's own memory have been written.
    receive(UnsafeRawBufferPointer(start: queue.frame, count: queue.length), queue.offload)
  }

  /// An extra in place of a response.
  ///
  /// What it may hold is checked against what we have offered.
  private func takeExtra(_ extra: netif_extra_info, _ queue: NetQueue<OS>) {
    queue.hasExtra = Int32(extra.flags) & XEN_NETIF_EXTRA_FLAG_MORE != 0
    switch Int32(extra.type) {
    case XEN_NETIF_EXTRA_TYPE_GSO:
      let gso = extra.u.gso
      let isKnown =
        (Int32(gso.type) == XEN_NETIF_GSO_TYPE_TCPV4 && options.gso4)
        || (Int32(gso.type) == XEN_NETIF_GSO_TYPE_TCPV6 && options.gso6)
      queue.isBad = queue.isBad || !isKnown || gso.size == 0
      queue.offload.gsoType = gso.type
      queue.offload.gsoSize = gso.size
    case XEN_NETIF_EXTRA_TYPE_HASH: break
    default: queue.isBad = true
    }
  }

  /// A response; false: the backend breaks the protocol.
  private func takeResponse(
    _ response: netif_rx_response, _ slot: Int, _ queue: NetQueue<OS>
  ) -> Bool {
    let flags = Int32(response.flags)
    if Int(response.id) != slot { return false }
    queue.hasMore = flags & NETRXF_more_data != 0
    if !queue.isOpen {
      queue.isOpen = true
      queue.isBad = queue.hasMore && !options.sg
      queue.length = 0
      queue.hasExtra = flags & NETRXF_extra_info != 0
      queue.offload = NetOffload()
      queue.offload.isChecksumBlank = flags & NETRXF_csum_blank != 0
      queue.offload.isValidated = flags & (NETRXF_data_validated | NETRXF_csum_blank) != 0
    }
    if response.status < 0 {
      // Its other slots are still taken, and thrown away.
      queue.isBad = true
      return true
    }
    let size = Int(response.status)
    let offset = Int(response.offset)
    if offset + size > pageSize { return false }
    queue.isBad = queue.isBad || queue.length + size > frameMax
    if queue.isBad { return true }
    // SAFETY: offset and size stay in the page, length and size in the frame's memory.
    let page = queue.rxBuffers.pages[Int(queue.rxBuffer[slot])]
    xenabi_copy(queue.frame + queue.length, page + offset, size)
    queue.length += size
    return true
  }

  /// Takes one slot, and puts its buffer back into the ring.
  func take(_ response: netif_rx_response, _ queue: NetQueue<OS>) -> Bool {
    let slot = Int((queue.rx.ring.responseIndex &- 1) & (queue.rx.ring.count - 1))
    if queue.isOpen, queue.hasExtra {
      let extra = withUnsafeBytes(of: response) { $0.loadUnaligned(as: netif_extra_info.self) }
      takeExtra(extra, queue)
    } else if !takeResponse(response, slot, queue) {
      return false
    }
    queue.putBuffer(queue.rxBuffer[slot])
    if !queue.hasExtra, !queue.hasMore { endFrame(queue) }
    return true
  }
}
