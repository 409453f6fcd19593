// Where the records of a domain's ports lie: in frames of the hypervisor's own, taken as ports are
// opened and given back when the domain dies or resets its channels.
//
//     directory, one frame: 512 words      bucket, one frame: 256 records
//     | frame of bucket 0 | ports open | ---> | port 0 | port 1 | ... | port 255 |
//     | frame of bucket 1 | ports open | ---> | port 256 | ...
//     | 0: no bucket                   |
//
// With the count in the directory, the lowest free port is found without a look at full buckets.

import CXenABI

/// Measures of the table.
public enum PortTable {
  /// Records in a bucket.
  public static var bucketSize: Int { 256 }
  /// Buckets in a directory: enough for all ports of the FIFO form.
  public static var bucketCount: Int { Int(EVTCHN_FIFO_NR_CHANNELS) / bucketSize }
  /// Bits of a directory's word that count the open ports; the frame's address is above them.
  public static var countMask: UInt64 { 0xfff }
}

/// A port that has just been opened.
struct OpenedPort {
  var number: EventPort
  var record: UnsafeMutablePointer<PortRecord>
}

extension Hypervisor {
  /// The record of a port that a guest names; nil for 0, for numbers out of range, and where no port
  /// near it was ever open.
  @inline(__always)
  func port(_ port: EventPort, of domain: DomainPointer) -> UnsafeMutablePointer<PortRecord>? {
    guard let directory = domain.pointee.portDirectory, port.rawValue > 0,
      port.rawValue < UInt32(EVTCHN_FIFO_NR_CHANNELS)
    else { return nil }
    let word = directory[Int(port.rawValue) / PortTable.bucketSize]
    guard word != 0 else { return nil }
    return records(in: word) + Int(port.rawValue) % PortTable.bucketSize
  }

  /// How many port numbers a domain may use, port 0 included.
  func portCapacity(of domain: DomainPointer) -> Int {
    let form =
      domain.pointee.isFIFO
      ? UInt32(EVTCHN_FIFO_NR_CHANNELS) : domain.pointee.bitmapPortCount
    let own = domain.pointee.portLimit ?? (domain.pointee.isPrivileged ? .max : 1024)
    return min(Int(form), Int(own))
  }

  /// Opens the lowest free port.
  func openPort(
    _ kind: PortKind, of domain: DomainPointer
  ) throws(HypercallError) -> OpenedPort {
    guard !domain.pointee.isDying else { throw .noDomain }
    let capacity = portCapacity(of: domain)
    let directory = try portDirectory(of: domain)
    var bucket = domain.pointee.portHint
    while bucket * PortTable.bucketSize < capacity {
      if directory[bucket] == 0 { try addBucket(bucket, to: directory) }
      let word = directory[bucket]
      if Int(word & PortTable.countMask) < PortTable.bucketSize {
        domain.pointee.portHint = bucket
        let records = records(in: word)
        // Port 0 is never used.
        var place = bucket == 0 ? 1 : 0
        while place < PortTable.bucketSize, records[place].kind != .closed { place += 1 }
        let number = bucket * PortTable.bucketSize + place
        guard place < PortTable.bucketSize, number < capacity else { throw .noSpace }
        directory[bucket] += 1
        domain.pointee.openPortCount += 1
        records[place].become(kind)
        return OpenedPort(number: EventPort(UInt32(number)), record: records + place)
      }
      bucket += 1
    }
    domain.pointee.portHint = bucket
    throw .noSpace
  }

  /// Marks a port free.
  func release(
    _ number: EventPort, _ record: UnsafeMutablePointer<PortRecord>, of domain: DomainPointer
  ) {
    guard let directory = domain.pointee.portDirectory else { return }
    let bucket = Int(number.rawValue) / PortTable.bucketSize
    record.pointee.become(.closed)
    directory[bucket] -= 1
    domain.pointee.openPortCount -= 1
    domain.pointee.portHint = min(domain.pointee.portHint, bucket)
  }

  /// The lowest open port from a number on; nil where there is none.
  func nextOpenPort(from first: Int, of domain: DomainPointer) -> Int? {
    guard let directory = domain.pointee.portDirectory else { return nil }
    var number = first
    while number < Int(EVTCHN_FIFO_NR_CHANNELS) {
      let word = directory[number / PortTable.bucketSize]
      if word & PortTable.countMask == 0 {
        number = (number / PortTable.bucketSize + 1) * PortTable.bucketSize
        continue
      }
      if records(in: word)[number % PortTable.bucketSize].kind != .closed { return number }
      number += 1
    }
    return nil
  }

  /// Gives all memory for ports back; none is open.
  func freePorts(of domain: DomainPointer) {
    guard let directory = domain.pointee.portDirectory,
      let frame = domain.pointee.portDirectoryFrame
    else { return }
    precondition(domain.pointee.openPortCount == 0, "Ports freed while open")
    for bucket in 0..<PortTable.bucketCount where directory[bucket] != 0 {
      freeOwn(MachineAddress(directory[bucket]).frame)
    }
    domain.pointee.portDirectory = nil
    domain.pointee.portDirectoryFrame = nil
    domain.pointee.portHint = 0
    freeOwn(frame)
  }

  private func portDirectory(
    of domain: DomainPointer
  ) throws(HypercallError) -> UnsafeMutablePointer<UInt64> {
    if let directory = domain.pointee.portDirectory { return directory }
    guard let frame = allocateOwn() else { throw .noMemory }
    let words = machine.words(of: frame)
    domain.pointee.portDirectoryFrame = frame
    domain.pointee.portDirectory = words
    return words
  }

  private func addBucket(
    _ bucket: Int, to directory: UnsafeMutablePointer<UInt64>
  ) throws(HypercallError) {
    guard let frame = allocateOwn() else { throw .noMemory }
    // Port 0 counts as open.
    directory[bucket] = frame.address.value | (bucket == 0 ? 1 : 0)
    records(in: directory[bucket]).initialize(
      repeating: PortRecord(), count: PortTable.bucketSize)
  }

  private func records(in word: UInt64) -> UnsafeMutablePointer<PortRecord> {
    // SAFETY: the word is a directory's, so the frame is the hypervisor's own and holds 256 records
    // of 16 bytes, which `addBucket` initialised.
    UnsafeMutableRawPointer(machine.words(of: MachineAddress(word).frame))
      .assumingMemoryBound(to: PortRecord.self)
  }
}
