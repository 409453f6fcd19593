// Argument structures in guest memory: copied once, then checked. The guest may change its memory at
// any time, so nothing is read twice.

extension Hypervisor {
  /// Reads a structure of `count` 64-bit words, at most 9.
  func readWords(
    _ count: Int, from address: GuestVirtualAddress
  ) throws(HypercallError) -> InlineArray<9, UInt64> {
    var words = InlineArray<9, UInt64>(repeating: 0)
    let byteCount = min(count, 9) * 8
    guard address.isGuestRange(byteCount: UInt64(byteCount)) else { throw .fault }
    var failed = false
    withUnsafeMutableBytes(of: &words) { buffer in
      // SAFETY: the buffer holds 72 bytes, and byteCount is at most that.
      guard let base = buffer.baseAddress else { return }
      do throws(GuestMemoryFault) {
        try machine.copyIn(base, from: address, byteCount: byteCount)
      } catch { failed = true }
    }
    if failed { throw .fault }
    return words
  }

  /// Reads a structure of the ABI's.
  func read<T>(_ empty: T, from address: GuestVirtualAddress) throws(HypercallError) -> T {
    let byteCount = MemoryLayout<T>.size
    guard address.isGuestRange(byteCount: UInt64(byteCount)) else { throw .fault }
    var value = empty
    var failed = false
    withUnsafeMutablePointer(to: &value) { pointer in
      // SAFETY: any bytes are a value of a C structure.
      do throws(GuestMemoryFault) {
        try machine.copyIn(UnsafeMutableRawPointer(pointer), from: address, byteCount: byteCount)
      } catch { failed = true }
    }
    if failed { throw .fault }
    return value
  }

  /// Writes a structure of the ABI's.
  func write<T>(structure: T, to address: GuestVirtualAddress) throws(HypercallError) {
    let byteCount = MemoryLayout<T>.size
    guard address.isGuestRange(byteCount: UInt64(byteCount)) else { throw .fault }
    var failed = false
    withUnsafePointer(to: structure) { pointer in
      do throws(GuestMemoryFault) {
        try machine.copyOut(to: address, from: UnsafeRawPointer(pointer), byteCount: byteCount)
      } catch { failed = true }
    }
    if failed { throw .fault }
  }

  /// Reads a 64-bit word.
  func readWord(at address: GuestVirtualAddress) throws(HypercallError) -> UInt64 {
    try readWords(1, from: address)[0]
  }

  /// Reads a 32-bit word.
  func readHalf(at address: GuestVirtualAddress) throws(HypercallError) -> UInt32 {
    guard address.isGuestRange(byteCount: 4) else { throw .fault }
    var value: UInt32 = 0
    do throws(GuestMemoryFault) {
      try machine.copyIn(&value, from: address, byteCount: 4)
    } catch { throw .fault }
    return value
  }

  /// Reads a 16-bit word.
  func readQuarter(at address: GuestVirtualAddress) throws(HypercallError) -> UInt16 {
    guard address.isGuestRange(byteCount: 2) else { throw .fault }
    var value: UInt16 = 0
    do throws(GuestMemoryFault) {
      try machine.copyIn(&value, from: address, byteCount: 2)
    } catch { throw .fault }
    return value
  }

  /// Writes a 64-bit word.
  func write(_ value: UInt64, to address: GuestVirtualAddress) throws(HypercallError) {
    guard address.isGuestRange(byteCount: 8) else { throw .fault }
    var copy = value
    do throws(GuestMemoryFault) {
      try machine.copyOut(to: address, from: &copy, byteCount: 8)
    } catch { throw .fault }
  }

  /// Writes a 32-bit word.
  func write(half value: UInt32, to address: GuestVirtualAddress) throws(HypercallError) {
    guard address.isGuestRange(byteCount: 4) else { throw .fault }
    var copy = value
    do throws(GuestMemoryFault) {
      try machine.copyOut(to: address, from: &copy, byteCount: 4)
    } catch { throw .fault }
  }

  /// Writes a byte.
  func write(byte value: UInt8, to address: GuestVirtualAddress) throws(HypercallError) {
    guard address.isGuestRange(byteCount: 1) else { throw .fault }
    var copy = value
    do throws(GuestMemoryFault) {
      try machine.copyOut(to: address, from: &copy, byteCount: 1)
    } catch { throw .fault }
  }

  /// Whether a range of addresses is a domain's own: outside the hypervisor's part of its address space.
  public func isOwnRange(
    _ address: GuestVirtualAddress, byteCount: UInt64, of domain: DomainPointer
  ) -> Bool {
    guard address.isGuestRange(byteCount: byteCount) else { return false }
    guard domain.pointee.is32Bit else { return true }
    let end = domain.pointee.reservedStart
    return address.value <= end && byteCount <= end - address.value
  }

  /// Reads an element of a list of frame numbers, which are as wide as the domain's registers.
  func readFrameNumber(
    _ index: UInt64, of list: GuestVirtualAddress, _ domain: DomainPointer
  ) throws(HypercallError) -> UInt64 {
    guard domain.pointee.is32Bit else {
      return try readWord(at: try element(index, ofSize: 8, from: list))
    }
    return UInt64(try readHalf(at: try element(index, ofSize: 4, from: list)))
  }

  /// Writes one likewise.
  func write(
    frameNumber: UInt64, _ index: UInt64, of list: GuestVirtualAddress, _ domain: DomainPointer
  ) throws(HypercallError) {
    guard domain.pointee.is32Bit else {
      return try write(frameNumber, to: try element(index, ofSize: 8, from: list))
    }
    try write(
      half: UInt32(truncatingIfNeeded: frameNumber), to: try element(index, ofSize: 4, from: list))
  }

  /// The address of an element of an array; a fault where that wraps round.
  func element(
    _ index: UInt64, ofSize size: UInt64, from base: GuestVirtualAddress
  ) throws(HypercallError) -> GuestVirtualAddress {
    let (offset, overflow) = index.multipliedReportingOverflow(by: size)
    guard !overflow, let address = base.advanced(by: offset) else { throw .fault }
    return address
  }
}
