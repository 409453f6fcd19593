// Event delivery, and its two-level form: bits in the page that a domain shares with the hypervisor.
//
//     send -> pending bit of the port -> (not masked) selector bit of the vcpu -> upcall pending
//
// The FIFO form is in EventQueue.swift.

import CXenABI
import XenABI

/// Offsets in shared_info and vcpu_info, by words of 64 bits for guests of either width: bit n of a
/// bitmap of 32-bit words is bit n of one of 64-bit words, too.
enum SharedOffset {
  static var infoSize: Int { MemoryLayout<vcpu_info>.size / 8 }
  static var pending: Int { Xen.OffsetX86_64.shared_info.evtchn_pending / 8 }

  /// Of the masks, which lie behind the pending bits.
  @inline(__always)
  static func mask(_ domain: DomainPointer) -> Int {
    domain.pointee.is32Bit
      ? Xen.OffsetX86_32.shared_info.evtchn_mask / 8
      : Xen.OffsetX86_64.shared_info.evtchn_mask / 8
  }

  /// How many words each bitmap has.
  static func bitmapSize(_ domain: DomainPointer) -> Int { domain.pointee.is32Bit ? 16 : 64 }

  /// Of a vcpu's selector: a word of its own, or the upper half of the first.
  @inline(__always)
  static func selector(_ domain: DomainPointer) -> (word: Int, shift: Int) {
    domain.pointee.is32Bit
      ? (0, Xen.OffsetX86_32.vcpu_info.evtchn_pending_sel * 8)
      : (Xen.OffsetX86_64.vcpu_info.evtchn_pending_sel / 8, 0)
  }

  /// Fills a vcpu's selector with one and the same bit.
  static func fillSelector(
    of info: UnsafeMutablePointer<UInt64>, in domain: DomainPointer, isSet: Bool
  ) {
    let place = selector(domain)
    let mask: UInt64 = ~0 << UInt64(place.shift)
    info[place.word] = isSet ? info[place.word] | mask : info[place.word] & ~mask
  }
}

extension Domain {
  /// How many ports the two-level form has.
  @inline(__always) var bitmapPortCount: UInt32 { is32Bit ? 1024 : UInt32(EVTCHN_2L_NR_CHANNELS) }
}

extension Hypervisor {
  /// Signals a port: the event reaches its vcpu at once, or when the guest unmasks it.
  func setPending(_ number: EventPort, of domain: DomainPointer) {
    if let record = port(number, of: domain) { setPending(number, record, of: domain) }
  }

  /// Signals a port whose record is known.
  @inline(__always)
  func setPending(
    _ number: EventPort, _ record: UnsafeMutablePointer<PortRecord>, of domain: DomainPointer
  ) {
    guard !domain.pointee.isFIFO else {
      return withLock(of: domain) { enqueue(number, record, of: domain) }
    }
    guard let page = domain.pointee.sharedInfo, let place = bitPlace(number, domain) else { return }
    let words = machine.words(of: page) + place.word
    if machine.setBit(place.bit, of: words + SharedOffset.pending) { return }
    // Who polls is told whatever the mask.
    if domain.pointee.pollerCount > 0 { wakePollers(of: number, in: domain) }
    guard words[SharedOffset.mask(domain)] >> UInt64(place.bit) & 1 == 0 else { return }
    select(number, of: record.pointee.vcpu, in: domain)
  }

  /// Clears a port's mask, and delivers what came meanwhile.
  func unmask(_ number: EventPort, of domain: DomainPointer) throws(HypercallError) {
    guard let record = port(number, of: domain) else { throw .invalid }
    guard !domain.pointee.isFIFO else {
      return withLock(of: domain) { unmaskQueued(number, record, of: domain) }
    }
    guard let page = domain.pointee.sharedInfo, let place = bitPlace(number, domain) else { return }
    let words = machine.words(of: page) + place.word
    guard machine.clearBit(place.bit, of: words + SharedOffset.mask(domain)),
      words[SharedOffset.pending] >> UInt64(place.bit) & 1 != 0
    else { return }
    select(number, of: record.pointee.vcpu, in: domain)
  }

  /// Forgets an event of a port that is closed.
  func clearPending(
    _ number: EventPort, _ record: UnsafeMutablePointer<PortRecord>, of domain: DomainPointer
  ) {
    guard !domain.pointee.isFIFO else { return clearQueued(number, record, of: domain) }
    guard let page = domain.pointee.sharedInfo, let place = bitPlace(number, domain) else { return }
    _ = machine.clearBit(place.bit, of: machine.words(of: page) + SharedOffset.pending + place.word)
  }

  /// Whether an event of a port waits, masked or not.
  func isPending(
    _ number: EventPort, _ record: UnsafeMutablePointer<PortRecord>, of domain: DomainPointer
  ) -> Bool {
    guard !domain.pointee.isFIFO else { return isQueuedPending(number, record, of: domain) }
    guard let page = domain.pointee.sharedInfo, let place = bitPlace(number, domain) else {
      return false
    }
    return machine.words(of: page)[SharedOffset.pending + place.word] >> UInt64(place.bit) & 1 != 0
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
  @inline(__always)
  public func info(
    of vcpu: UnsafeMutablePointer<VCPU>, in domain: DomainPointer
  ) -> UnsafeMutablePointer<UInt64>? {
    if let frame = vcpu.pointee.infoFrame {
      return machine.words(of: frame) + vcpu.pointee.infoOffset / 8
    }
    let index = Int(vcpu.pointee.id.rawValue)
    guard index < Int(XEN_LEGACY_MAX_VCPUS), let page = domain.pointee.sharedInfo else {
      return nil
    }
    return machine.words(of: page) + index * SharedOffset.infoSize
  }

  /// Sets the upcall flag, which is the lowest byte, and wakes the vcpu.
  @inline(__always)
  func markUpcall(_ vcpu: UnsafeMutablePointer<VCPU>, _ info: UnsafeMutablePointer<UInt64>) {
    UnsafeMutableRawPointer(info).storeBytes(of: 1, as: UInt8.self)
    machine.wake(vcpu)
  }

  @inline(__always)
  private func select(_ number: EventPort, of id: VCPUID, in domain: DomainPointer) {
    guard Int(id.rawValue) < domain.pointee.vcpuCount else { return }
    let vcpu = domain.pointee.vcpus[Int(id.rawValue)]
    // A bit of the selector stands for a word of the guest's own width.
    let place = SharedOffset.selector(domain)
    let bit = Int(number.rawValue >> (domain.pointee.is32Bit ? 5 : 6)) + place.shift
    guard let info = info(of: vcpu, in: domain), !machine.setBit(bit, of: info + place.word)
    else { return }
    markUpcall(vcpu, info)
  }

  /// Where the bits of a port are; nil for one that only the FIFO form has.
  @inline(__always)
  private func bitPlace(_ number: EventPort, _ domain: DomainPointer) -> (word: Int, bit: Int)? {
    guard number.rawValue < domain.pointee.bitmapPortCount else { return nil }
    return (Int(number.rawValue) / 64, Int(number.rawValue) & 63)
  }
}
