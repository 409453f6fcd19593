// Delivery in the FIFO form: abi/event-channel.yaml, topic fifo.
//
//     control block of a vcpu      event words
//     | ready: bit per priority |
//     | head[p] | -------------> | P M L B | link | -> | P M L B | link | -> | P M L B | 0 |
//                                                                  tail, kept by the hypervisor
//
// The guest takes events out at the head; the hypervisor adds them at the tail, which it remembers
// itself. Links, heads and bits are the guest's to spoil at any time: the hypervisor never follows a
// link, so what a bad guest can lose is its own events.

import CXenABI
import XenABI

/// Bits of an event word.
enum EventBits {
  static var pending: UInt32 { 1 << UInt32(EVTCHN_FIFO_PENDING) }
  static var masked: UInt32 { 1 << UInt32(EVTCHN_FIFO_MASKED) }
  static var linked: UInt32 { 1 << UInt32(EVTCHN_FIFO_LINKED) }
  static var busy: UInt32 { 1 << UInt32(EVTCHN_FIFO_BUSY) }
  static var link: UInt32 { UInt32(EVTCHN_FIFO_LINK_MASK) }
}

/// The word of a port: half of a word that can be exchanged.
struct EventWord {
  let place: UnsafeMutablePointer<UInt64>
  let shift: UInt64

  /// Its value as it is by now.
  var value: UInt32 { UInt32(truncatingIfNeeded: place.pointee >> shift) }
}

extension Hypervisor {
  /// Signals a port.
  func enqueue(
    _ number: EventPort, _ record: UnsafeMutablePointer<PortRecord>, of domain: DomainPointer
  ) {
    guard let word = eventWord(of: number, in: domain) else {
      let isNew = !record.pointee.isWaiting
      record.pointee.isWaiting = true
      if isNew, domain.pointee.pollerCount > 0 { wakePollers(of: number, in: domain) }
      return
    }
    let before = update(word, set: EventBits.pending, number, record, of: domain)
    if before & EventBits.pending == 0, domain.pointee.pollerCount > 0 {
      wakePollers(of: number, in: domain)
    }
  }

  /// Clears a port's mask, and delivers what came meanwhile.
  func unmaskQueued(
    _ number: EventPort, _ record: UnsafeMutablePointer<PortRecord>, of domain: DomainPointer
  ) {
    guard let word = eventWord(of: number, in: domain) else { return }
    _ = update(word, clear: EventBits.masked, number, record, of: domain)
  }

  /// Forgets an event; the port stays in its queue until the guest comes to it.
  func clearQueued(
    _ number: EventPort, _ record: UnsafeMutablePointer<PortRecord>, of domain: DomainPointer
  ) {
    record.pointee.isWaiting = false
    guard let word = eventWord(of: number, in: domain) else { return }
    _ = change(word) { $0 & ~EventBits.pending }
  }

  /// Whether an event of a port waits.
  func isQueuedPending(
    _ number: EventPort, _ record: UnsafeMutablePointer<PortRecord>, of domain: DomainPointer
  ) -> Bool {
    guard let word = eventWord(of: number, in: domain) else { return record.pointee.isWaiting }
    return word.value & EventBits.pending != 0
  }

  /// Changes a port's word, and links the port where it is pending, not masked and in no queue by
  /// then.
  ///
  /// Answers the former value.
  private func update(
    _ word: EventWord, set: UInt32 = 0, clear: UInt32 = 0, _ number: EventPort,
    _ record: UnsafeMutablePointer<PortRecord>, of domain: DomainPointer
  ) -> UInt32 {
    // A vcpu without control block has no queue: the event waits for an unmask after it has one.
    let vcpu = domain.pointee.vcpus[Int(record.pointee.vcpu.rawValue)]
    let hasQueue = vcpu.pointee.controlFrame != nil
    let all = EventBits.pending | EventBits.masked | EventBits.linked
    let before = change(word) { old in
      let new = (old | set) & ~clear
      guard hasQueue, new & all == EventBits.pending else { return new }
      return new & ~EventBits.link | EventBits.linked
    }
    if hasQueue, (before | set) & ~clear & all == EventBits.pending {
      append(number, record, to: vcpu, of: domain)
    }
    return before
  }

  /// Puts a port, whose word says so already, behind the last one of its queue.
  private func append(
    _ number: EventPort, _ record: UnsafeMutablePointer<PortRecord>,
    to vcpu: UnsafeMutablePointer<VCPU>, of domain: DomainPointer
  ) {
    guard let frame = vcpu.pointee.controlFrame else { return }
    let block = machine.words(of: frame) + vcpu.pointee.controlOffset / 8
    let priority = Int(record.pointee.priority)
    // A queue whose last port this was is empty. It must not be found again through the port's word,
    // which says from now on that it stands in a queue: maybe another one.
    let former = domain.pointee.vcpus[Int(record.pointee.queueVCPU.rawValue)]
    let formerPriority = Int(record.pointee.queuePriority)
    if former.pointee.queueTails[formerPriority] == number.rawValue {
      former.pointee.queueTails[formerPriority] = 0
    }
    record.pointee.queueVCPU = vcpu.pointee.id
    record.pointee.queuePriority = record.pointee.priority
    let tail = EventPort(vcpu.pointee.queueTails[priority])
    vcpu.pointee.queueTails[priority] = number.rawValue
    if tail.rawValue != 0, let last = eventWord(of: tail, in: domain), setLink(of: last, to: number)
    {
      return
    }
    // The queue was empty.
    let heads = Xen.Offset.evtchn_fifo_control_block.head
    UnsafeMutableRawPointer(block).storeBytes(
      of: number.rawValue, toByteOffset: heads + priority * 4, as: UInt32.self)
    // `ready` is the lower half of the block's first word.
    if !machine.setBit(priority, of: block), let info = info(of: vcpu, in: domain) {
      markUpcall(vcpu, info)
    }
  }

  /// Lets the last port of a queue point to the next one, if the guest has not taken it out by then.
  ///
  /// Answers false where it has. After some attempts the busy bit asks the guest to leave the word
  /// alone. One that does not, loses the event and no more of the hypervisor's time.
  private func setLink(of word: EventWord, to next: EventPort) -> Bool {
    for attempt in 0..<64 {
      let whole = word.place.pointee
      let old = UInt32(truncatingIfNeeded: whole >> word.shift)
      guard old & EventBits.linked != 0 else {
        if attempt > 4 { _ = change(word) { $0 & ~EventBits.busy } }
        return false
      }
      let new = old & ~(EventBits.link | EventBits.busy) | next.rawValue
      let desired = whole & ~(0xffff_ffff << word.shift) | UInt64(new) << word.shift
      if machine.compareExchange(word.place, expected: whole, desired: desired) == whole {
        return true
      }
      if attempt == 4 { _ = change(word) { $0 | EventBits.busy } }
    }
    _ = change(word) { $0 & ~EventBits.busy }
    return true
  }

  private func eventWord(of number: EventPort, in domain: DomainPointer) -> EventWord? {
    let index = Int(number.rawValue)
    guard let array = domain.pointee.eventArray,
      index / EventArray.pageSize < domain.pointee.eventArrayCount
    else { return nil }
    let frame = MachineFrame(machine.words(of: array)[index / EventArray.pageSize])
    return EventWord(
      place: machine.words(of: frame) + index % EventArray.pageSize / 2,
      shift: UInt64(index & 1) * 32)
  }

  private func change(_ word: EventWord, _ edit: (UInt32) -> UInt32) -> UInt32 {
    let before = change(word.place) { whole in
      let new = edit(UInt32(truncatingIfNeeded: whole >> word.shift))
      return whole & ~(0xffff_ffff << word.shift) | UInt64(new) << word.shift
    }
    return UInt32(truncatingIfNeeded: before >> word.shift)
  }
}
