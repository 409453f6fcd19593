// The memory of the FIFO form: a control block for each vcpu and pages of event words, all of them
// frames of the guest's. Each is kept writable and referenced, so that it can become no table and is
// not freed, until the domain resets its channels or dies.

import CXenABI
import XenABI

/// Measures of the FIFO form.
enum EventArray {
  /// Event words in a page.
  static var pageSize: Int { Int(XEN_PAGE_SIZE) / MemoryLayout<event_word_t>.size }
  /// Pages for all ports.
  static var pageCount: Int { Int(EVTCHN_FIFO_NR_CHANNELS) / pageSize }
}

extension Hypervisor {
  /// EVTCHNOP_init_control: gives a vcpu its control block.
  ///
  /// The first one switches the domain to the FIFO form. Events that wait then are signalled again
  /// once their ports have words.
  func initialiseControl(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    let words = try readWords(2, from: argument)
    let offset = UInt32(truncatingIfNeeded: words[1])
    let domain = caller.domain
    let vcpu = try vcpu(UInt32(truncatingIfNeeded: words[1] >> 32), of: domain)
    let size = MemoryLayout<evtchn_fifo_control_block>.size
    // Overflow: the offset is compared before anything is added to it.
    guard offset <= UInt32(Int(XEN_PAGE_SIZE) - size), offset & 7 == 0,
      vcpu.pointee.controlFrame == nil
    else { throw .invalid }
    let frame = MachineFrame(words[0])
    guard try takeWritable(frame, of: domain) else { return .again }
    if !domain.pointee.isFIFO {
      guard let directory = allocateOwn() else {
        drop(frame)
        throw .noMemory
      }
      enterFIFO(directory, of: domain)
    }
    vcpu.pointee.controlFrame = frame
    vcpu.pointee.controlOffset = Int(offset)
    let answer = Xen.Offset.evtchn_init_control.link_bits
    try write(
      byte: UInt8(EVTCHN_FIFO_LINK_BITS), to: try element(UInt64(answer), ofSize: 1, from: argument)
    )
    return .value(0)
  }

  /// EVTCHNOP_expand_array: adds words for the next 1024 ports.
  func expandArray(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    let frame = MachineFrame(try readWord(at: argument))
    let domain = caller.domain
    guard let array = domain.pointee.eventArray else { throw .notSupported }
    let index = domain.pointee.eventArrayCount
    guard index < EventArray.pageCount else { throw .noSpace }
    guard try takeWritable(frame, of: domain) else { return .again }
    machine.words(of: array)[index] = frame.number
    domain.pointee.eventArrayCount = index + 1
    var number = index * EventArray.pageSize
    let end = number + EventArray.pageSize
    while let next = nextOpenPort(from: number, of: domain), next < end {
      number = next + 1
      let port = EventPort(UInt32(next))
      guard let record = self.port(port, of: domain), record.pointee.isWaiting else { continue }
      record.pointee.isWaiting = false
      enqueue(port, record, of: domain)
    }
    return .value(0)
  }

  /// EVTCHNOP_set_priority: the queue that a port goes to from its next event on.
  func setPriority(_ argument: GuestVirtualAddress, _ caller: Caller) throws(HypercallError) {
    let words = try readWords(1, from: argument)
    guard let record = port(EventPort(UInt32(truncatingIfNeeded: words[0])), of: caller.domain)
    else { throw .invalid }
    guard caller.domain.pointee.isFIFO else { throw .noSuchCall }
    let priority = words[0] >> 32
    guard priority <= UInt64(EVTCHN_FIFO_PRIORITY_MIN) else { throw .invalid }
    record.pointee.priority = UInt8(truncatingIfNeeded: priority)
  }

  /// Goes back to the two-level form, and gives the guest its frames back.
  func leaveFIFO(of domain: DomainPointer) {
    guard let array = domain.pointee.eventArray else { return }
    for index in 0..<domain.pointee.vcpuCount {
      let vcpu = domain.pointee.vcpus[index]
      if let frame = vcpu.pointee.controlFrame { drop(frame) }
      vcpu.pointee.controlFrame = nil
      vcpu.pointee.queueTails = InlineArray(repeating: 0)
    }
    let words = machine.words(of: array)
    for index in 0..<domain.pointee.eventArrayCount { drop(MachineFrame(words[index])) }
    domain.pointee.eventArrayCount = 0
    domain.pointee.eventArray = nil
    freeOwn(array)
    guard let page = domain.pointee.sharedInfo else { return }
    // Pending bits from before the switch would hide the first event of each port.
    for word in 0..<SharedOffset.bitmapSize(domain) {
      _ = change(machine.words(of: page) + SharedOffset.pending + word) { _ in 0 }
    }
  }

  private func enterFIFO(_ directory: MachineFrame, of domain: DomainPointer) {
    var number = 1
    while let next = nextOpenPort(from: number, of: domain) {
      number = next + 1
      let port = EventPort(UInt32(next))
      guard let record = self.port(port, of: domain) else { continue }
      record.pointee.isWaiting = isPending(port, record, of: domain)
    }
    domain.pointee.eventArray = directory
    domain.pointee.eventArrayCount = 0
  }

  /// Takes a frame of the guest's to write to it for long; false where it is still being torn down
  /// as a table, and the call is to be made again.
  private func takeWritable(
    _ frame: MachineFrame, of domain: DomainPointer
  ) throws(HypercallError) -> Bool {
    do throws(MemoryError) {
      try take(frame, as: .writable, ownedBy: domain)
      return true
    } catch {
      guard error == .preempted else { throw .invalid }
      do throws(MemoryError) { try drain(domain) } catch {}
      return false
    }
  }
}
