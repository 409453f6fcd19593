// Whose TLBs a guest's flush reaches: the processors that may hold translations of its vcpus.

extension Hypervisor {
  /// Flushes an address, or everything, on processors.
  func flush(_ address: GuestVirtualAddress?, on processors: ProcessorSet) {
    guard let address else { return flush(processors) }
    if !processors.isEmpty { machine.invalidatePage(address, on: processors) }
  }

  /// The processors that may hold translations of a domain.
  func processors(of domain: DomainPointer) -> ProcessorSet {
    processors(of: domain) { _ in true }
  }

  /// Those of the vcpus in a guest's bitmap, which is as long as the domain has vcpus.
  func processors(
    of domain: DomainPointer, inBitmapAt address: GuestVirtualAddress
  ) throws(HypercallError) -> ProcessorSet {
    let count = domain.pointee.vcpuCount
    var bits = InlineArray<128, UInt8>(repeating: 0)
    let byteCount = min((count + 7) / 8, 128)
    guard address.isGuestRange(byteCount: UInt64(byteCount)) else { throw .fault }
    var failed = false
    withUnsafeMutableBytes(of: &bits) { buffer in
      // SAFETY: the buffer holds 128 bytes, and byteCount is at most that.
      guard let base = buffer.baseAddress else { return }
      do throws(GuestMemoryFault) {
        try machine.copyIn(base, from: address, byteCount: byteCount)
      } catch { failed = true }
    }
    if failed { throw .fault }
    return processors(of: domain) { index in
      index / 8 < byteCount && bits[index / 8] >> UInt8(index & 7) & 1 != 0
    }
  }

  private func processors(
    of domain: DomainPointer, where isMeant: (Int) -> Bool
  ) -> ProcessorSet {
    var set = ProcessorSet.none
    for index in 0..<domain.pointee.vcpuCount where isMeant(index) {
      if let processor = domain.pointee.vcpus[index].pointee.processor { set.insert(processor) }
    }
    return set
  }
}
