// Two-level event delivery: bits in the page that a domain shares with the hypervisor.
//
//     send -> pending bit of the port -> (not masked) selector bit of the vcpu -> upcall pending
//
// The guest changes the same words at any time, so each bit is changed by compare-and-exchange.

/// Byte offsets in shared_info and vcpu_info on x86-64: abi/shared-info.yaml.
private enum SharedOffset {
  static var infoSize: Int { 64 }
  static var infoCount: Int { 32 }
  static var selector: Int { 8 }
  static var upcallPending: Int { 0 }
  static var pending: Int { 2048 }
  static var mask: Int { 2560 }
}

extension Hypervisor {
  /// Signals a port: the event reaches its vcpu at once, or when the guest unmasks it.
  func setPending(_ number: EventPort, of domain: DomainPointer) {
    guard let page = domain.pointee.sharedInfo, let record = port(number, of: domain) else {
      return
    }
    let index = Int(number.rawValue)
    let words = machine.words(of: page)
    let place = index / 64
    if setBit(index & 63, of: words + (SharedOffset.pending / 8 + place)) { return }
    guard words[SharedOffset.mask / 8 + place] >> UInt64(index & 63) & 1 == 0 else { return }
    select(place, of: record.pointee.vcpu, in: domain)
  }

  /// Clears a port's mask, and delivers what came meanwhile.
  func unmask(_ number: EventPort, of domain: DomainPointer) throws(HypercallError) {
    guard let record = port(number, of: domain) else { throw .invalid }
    guard let page = domain.pointee.sharedInfo else { return }
    let index = Int(number.rawValue)
    let place = index / 64
    let words = machine.words(of: page)
    guard clearBit(index & 63, of: words + (SharedOffset.mask / 8 + place)),
      words[SharedOffset.pending / 8 + place] >> UInt64(index & 63) & 1 != 0
    else { return }
    select(place, of: record.pointee.vcpu, in: domain)
  }

  /// Forgets an event of a port that is closed.
  func clearPending(_ number: EventPort, of domain: DomainPointer) {
    guard let page = domain.pointee.sharedInfo else { return }
    let index = Int(number.rawValue)
    _ = clearBit(
      index & 63, of: machine.words(of: page) + (SharedOffset.pending / 8 + index / 64))
  }

  /// Raises a virtual interrupt; without a port for it nothing happens.
  public func raise(interrupt: UInt32, vcpu: UnsafeMutablePointer<VCPU>, of domain: DomainPointer) {
    guard interrupt < VirtualInterrupt.count else { return }
    let holder = VirtualInterrupt.isPerVCPU(interrupt) ? vcpu : domain.pointee.vcpus[0]
    let port = holder.pointee.interruptPorts[Int(interrupt)]
    if port.rawValue != 0 { setPending(port, of: domain) }
  }

  /// Whether a vcpu is to be entered at its event callback: an upcall is pending and not masked.
  public func isUpcallDue(on vcpu: UnsafeMutablePointer<VCPU>, of domain: DomainPointer) -> Bool {
    guard let info = info(of: vcpu, in: domain) else { return false }
    return info.pointee & 0xff != 0 && info.pointee >> 8 & 0xff == 0
  }

  /// Whether a vcpu has an upcall pending, masked or not: what ends a block.
  public func isUpcallPending(
    on vcpu: UnsafeMutablePointer<VCPU>, of domain: DomainPointer
  ) -> Bool {
    guard let info = info(of: vcpu, in: domain) else { return false }
    return info.pointee & 0xff != 0
  }

  /// The vcpu_info of a vcpu: where it registered one, else in shared_info, else nowhere.
  public func info(
    of vcpu: UnsafeMutablePointer<VCPU>, in domain: DomainPointer
  ) -> UnsafeMutablePointer<UInt64>? {
    if let frame = vcpu.pointee.infoFrame {
      return machine.words(of: frame) + vcpu.pointee.infoOffset / 8
    }
    let index = Int(vcpu.pointee.id.rawValue)
    guard index < SharedOffset.infoCount, let page = domain.pointee.sharedInfo else { return nil }
    return machine.words(of: page) + index * SharedOffset.infoSize / 8
  }

  private func select(_ place: Int, of id: VCPUID, in domain: DomainPointer) {
    guard Int(id.rawValue) < domain.pointee.vcpuCount else { return }
    let vcpu = domain.pointee.vcpus[Int(id.rawValue)]
    guard let info = info(of: vcpu, in: domain),
      !setBit(place, of: info + SharedOffset.selector / 8)
    else { return }
    markUpcall(vcpu, info)
  }

  /// Sets the upcall flag, which is the lowest byte, and wakes the vcpu.
  func markUpcall(_ vcpu: UnsafeMutablePointer<VCPU>, _ info: UnsafeMutablePointer<UInt64>) {
    UnsafeMutableRawPointer(info).storeBytes(of: 1, as: UInt8.self)
    machine.wake(vcpu)
  }

  /// Sets a bit that a guest may change at the same time.
  ///
  /// Answers whether it was set.
  private func setBit(_ bit: Int, of word: UnsafeMutablePointer<UInt64>) -> Bool {
    change(word) { $0 | 1 << UInt64(bit) } >> UInt64(bit) & 1 != 0
  }

  /// Clears a bit likewise.
  ///
  /// Answers whether it was set.
  private func clearBit(_ bit: Int, of word: UnsafeMutablePointer<UInt64>) -> Bool {
    change(word) { $0 & ~(1 << UInt64(bit)) } >> UInt64(bit) & 1 != 0
  }

  /// Changes a word in one step and answers its former value.
  ///
  /// A guest that writes the word without end could keep this waiting on another processor, so the
  /// attempts are limited; the last one stores in any case, at the guest's own cost.
  private func change(
    _ word: UnsafeMutablePointer<UInt64>, _ edit: (UInt64) -> UInt64
  ) -> UInt64 {
    var expected = word.pointee
    for _ in 0..<64 {
      let found = machine.compareExchange(word, expected: expected, desired: edit(expected))
      if found == expected { return found }
      expected = found
    }
    word.pointee = edit(expected)
    return expected
  }
}
