// The invariants of event channels: both ends of a channel know each other, counts equal a recount,
// and the hypervisor's own frames are all accounted for.

import HypervisorCore

extension Bench {
  /// Looks at every port of every domain; the first broken rule is thrown.
  ///
  /// `others` are frames of the hypervisor's own that are not for ports.
  func checkPorts(besides others: Int) throws(Violation) {
    // Frame 0 is reserved at the start.
    var ownFrames = 1 + others
    for slot in 0..<hypervisor.domains.capacity {
      guard let domain = hypervisor.domains[slot] else { continue }
      ownFrames += try checkBuckets(of: domain)
      ownFrames += try checkQueues(of: domain)
      try checkVCPUs(of: domain)
      for index in 0..<domain.pointee.vcpuCount
      where domain.pointee.vcpus[index].pointee.monitorTable != nil {
        ownFrames += 1
      }
    }
    var found = 0
    for number in 0..<machine.frameCount
    where hypervisor.frames[MachineFrame(UInt64(number))].pointee.owner == .hypervisor {
      found += 1
    }
    guard found == ownFrames else {
      throw Violation(description: "\(found) frames are the hypervisor's, \(ownFrames) in use")
    }
  }

  /// Answers how many frames the records take.
  private func checkBuckets(of domain: DomainPointer) throws(Violation) -> Int {
    let id = domain.pointee.id.rawValue
    guard let directory = domain.pointee.portDirectory else {
      guard domain.pointee.openPortCount == 0 else {
        throw Violation(description: "domain \(id) has ports and no records")
      }
      return 0
    }
    if domain.pointee.isDying { throw Violation(description: "domain \(id) died with ports") }
    var frames = 1
    var open = 0
    for bucket in 0..<PortTable.bucketCount {
      let word = directory[bucket]
      let isFull = Int(word & PortTable.countMask) == PortTable.bucketSize
      if bucket < domain.pointee.portHint, !isFull {
        throw Violation(description: "domain \(id): bucket \(bucket) is below the hint, not full")
      }
      if word == 0 { continue }
      frames += 1
      if bucket >= 16, !domain.pointee.isFIFO {
        throw Violation(description: "domain \(id): bucket \(bucket) in the two-level form")
      }
      let count = try checkBucket(bucket, records(in: word), of: domain)
      open += count
      guard Int(word & PortTable.countMask) == count + (bucket == 0 ? 1 : 0) else {
        throw Violation(description: "domain \(id): bucket \(bucket) counted \(count)")
      }
    }
    guard open == domain.pointee.openPortCount else {
      throw Violation(description: "domain \(id): \(open) ports are open")
    }
    return frames
  }

  private func checkBucket(
    _ bucket: Int, _ records: UnsafeMutablePointer<PortRecord>, of domain: DomainPointer
  ) throws(Violation) -> Int {
    var open = 0
    for place in 0..<PortTable.bucketSize where records[place].kind != .closed {
      let record = records[place]
      let number = bucket * PortTable.bucketSize + place
      var name: String { "port \(number) of \(domain.pointee.id.rawValue)" }
      open += 1
      if number == 0 { throw Violation(description: "\(name) is open") }
      guard Int(record.vcpu.rawValue) < domain.pointee.vcpuCount,
        Int(record.queueVCPU.rawValue) < domain.pointee.vcpuCount, record.priority < 16,
        record.queuePriority < 16
      else { throw Violation(description: "\(name): no such vcpu or queue") }
      if record.kind == .interdomain { try checkFarEnd(record, number, of: domain) }
    }
    return open
  }

  private func checkFarEnd(
    _ record: PortRecord, _ number: Int, of domain: DomainPointer
  ) throws(Violation) {
    var name: String { "port \(number) of \(domain.pointee.id.rawValue)" }
    let far = Int(record.remotePort.rawValue)
    guard let other = hypervisor.domains.find(record.remoteDomain),
      let directory = other.pointee.portDirectory, far < 1 << 17,
      directory[far / PortTable.bucketSize] != 0
    else { throw Violation(description: "\(name): no other end") }
    let end = records(in: directory[far / PortTable.bucketSize])[far % PortTable.bucketSize]
    guard end.kind == .interdomain, end.remoteDomain == domain.pointee.id,
      end.remotePort.rawValue == UInt32(number)
    else { throw Violation(description: "\(name): its other end knows another") }
  }

  /// Answers how many frames of the hypervisor's own the FIFO form takes.
  private func checkQueues(of domain: DomainPointer) throws(Violation) -> Int {
    let id = domain.pointee.id.rawValue
    let words = domain.pointee.eventArrayCount * 1024
    guard words <= 1 << 17, domain.pointee.isFIFO || words == 0 else {
      throw Violation(description: "domain \(id): \(words) event words")
    }
    for index in 0..<domain.pointee.vcpuCount {
      let vcpu = domain.pointee.vcpus[index].pointee
      if vcpu.controlFrame != nil, !domain.pointee.isFIFO {
        throw Violation(description: "domain \(id): a control block in the two-level form")
      }
      for queue in 0..<16 where Int(vcpu.queueTails[queue]) >= max(words, 1) {
        throw Violation(description: "domain \(id): the end of queue \(queue) is no word")
      }
    }
    return domain.pointee.isFIFO ? 1 : 0
  }

  private func checkVCPUs(of domain: DomainPointer) throws(Violation) {
    let id = domain.pointee.id.rawValue
    var pollers = 0
    for index in 0..<domain.pointee.vcpuCount {
      let vcpu = domain.pointee.vcpus[index].pointee
      if vcpu.poll != .none { pollers += 1 }
      if vcpu.isUp, !vcpu.isInitialised {
        throw Violation(description: "domain \(id): vcpu \(index) is up without a state")
      }
      for interrupt in 0..<24 where vcpu.interruptPorts[interrupt].rawValue != 0 {
        let number = Int(vcpu.interruptPorts[interrupt].rawValue)
        guard let directory = domain.pointee.portDirectory,
          directory[number / PortTable.bucketSize] != 0
        else { throw Violation(description: "domain \(id): interrupt on no port") }
        let record = records(in: directory[number / PortTable.bucketSize])[
          number % PortTable.bucketSize]
        guard record.kind == .virtualInterrupt, Int(record.interrupt) == interrupt else {
          throw Violation(description: "domain \(id): interrupt \(interrupt) on a foreign port")
        }
      }
    }
    guard pollers == domain.pointee.pollerCount else {
      throw Violation(description: "domain \(id): \(pollers) vcpus poll")
    }
  }

  private func records(in word: UInt64) -> UnsafeMutablePointer<PortRecord> {
    UnsafeMutableRawPointer(machine.words(of: MachineAddress(word).frame))
      .assumingMemoryBound(to: PortRecord.self)
  }
}
