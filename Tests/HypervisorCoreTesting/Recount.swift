// The invariants of memory, checked by counting everything again from the tables themselves. It
// shares no code with the operations that keep the counts.

import HypervisorCore
import X86

/// A broken invariant, in words.
public struct Violation: Error, CustomStringConvertible {
  /// What is wrong.
  public var description: String
}

extension Bench {
  struct Count: Equatable {
    var references: UInt32 = 0
    var uses: UInt32 = 0
    var linear: Int = 0
  }

  /// Counts again and compares; the first difference is thrown.
  ///
  /// - Counts equal a recount from tables, pins, base pointers and reservations.
  /// - No frame is mapped writable and a table, or a table of two levels, at once.
  /// - Every entry of a table maps the owner's memory, or another's by a grant or `allowForeign`.
  /// - No translation that a TLB may still hold reaches a table, or another domain's frame.
  public func recount(allowForeign: Bool = false) throws(Violation) {
    if let violation { throw violation }
    let frames = hypervisor.frames
    var counts = [Count](repeating: Count(), count: machine.frameCount)
    var pages: [DomainID: UInt64] = [:]
    var foreign: [GrantedEntry: Int] = [:]
    for number in 0..<machine.frameCount {
      let frame = MachineFrame(UInt64(number))
      let record = frames[frame].pointee
      if record.owner.isOrdinary {
        if record.flags.contains(.allocated) { counts[number].references += 1 }
        if record.flags.contains(.shared) {
          counts[number].references += 1
          counts[number].uses += 1
        } else {
          pages[record.owner, default: 0] += 1
        }
        if record.flags.contains(.pinned) {
          counts[number].references += 1
          counts[number].uses += 1
        }
        if !record.flags.isDisjoint(with: [.validating, .tearing]) {
          counts[number].references += 1
        }
        if record.flags.contains(.active) { throw Violation(description: "\(number) left active") }
        try countEntries(of: frame, &counts, &foreign, allowForeign: allowForeign)
      } else if record.references > 0 || record.typeUses > 0 {
        throw Violation(description: "frame \(number) has counts but no owner")
      }
    }
    for slot in 0..<hypervisor.domains.capacity {
      guard let domain = hypervisor.domains[slot] else { continue }
      for index in 0..<domain.pointee.vcpuCount {
        let vcpu = domain.pointee.vcpus[index].pointee
        var used = [vcpu.kernelTable, vcpu.userTable, vcpu.infoFrame, vcpu.controlFrame]
          .compactMap { $0 }
        for page in 0..<16 where vcpu.localPages >> UInt16(page) & 1 != 0 {
          used.append(vcpu.localFrames[page])
        }
        for place in 0..<vcpu.descriptorFrameCount { used.append(vcpu.descriptorFrames[place]) }
        for frame in used {
          counts[Int(frame.number)].references += 1
          counts[Int(frame.number)].uses += 1
        }
      }
      if let array = domain.pointee.eventArray {
        for index in 0..<domain.pointee.eventArrayCount {
          let frame = Int(machine.words(of: array)[index])
          counts[frame].references += 1
          counts[frame].uses += 1
        }
      }
      guard domain.pointee.pageCount == pages[domain.pointee.id, default: 0] else {
        throw Violation(description: "domain \(domain.pointee.id.rawValue): pages miscounted")
      }
    }
    let grantFrames = try checkGrants(&counts, foreign)
    try compare(counts)
    try checkPorts(besides: grantFrames)
    try checkFreeList()
    try checkTranslations()
  }

  private func countEntries(
    of frame: MachineFrame, _ counts: inout [Count], _ foreign: inout [GrantedEntry: Int],
    allowForeign: Bool
  ) throws(Violation) {
    let record = hypervisor.frames[frame].pointee
    let level = record.type.level
    guard level > 0 else { return }
    let end = record.typeUses > 0 ? 512 : Int(record.progress)
    guard end > 0 else { return }
    let words = machine.words(of: frame)
    let is32Bit = hypervisor.domains.find(record.owner)?.pointee.is32Bit ?? false
    for index in 0..<end {
      let word = words[index]
      if is32Bit, level == 3, index >= 4, word != 0 {
        throw Violation(description: "entry \(index) of top table \(frame.number) is not 0")
      }
      if word & 1 == 0 { continue }
      if record.type == .level2High, index >= 480 {
        // The last 64 MiB: the M2P table, to read, and for the kernel alone.
        guard
          record.typeUses == 0
            || index == 480 && word & 6 == 0
              && word & 0x000f_ffff_ffff_f000 == Self.compatWindow.number << 12
        else { throw Violation(description: "reserved entry \(index) of \(frame.number): \(word)") }
        continue
      }
      if level == 4, (256...271).contains(index) {
        // The M2P table's slot may also be empty, as the words skipped above are.
        if record.typeUses > 0, word != hypervisor.state.pointee.reservedEntries[index - 256] {
          throw Violation(description: "reserved slot \(index) of \(frame.number) changed")
        }
        continue
      }
      try countEntry(word, index, frame, level, &counts, &foreign, allowForeign: allowForeign)
    }
  }

  private func countEntry(
    _ word: UInt64, _ index: Int, _ frame: MachineFrame, _ level: Int, _ counts: inout [Count],
    _ foreign: inout [GrantedEntry: Int], allowForeign: Bool
  ) throws(Violation) {
    let target = Int(truncatingIfNeeded: word & 0x000f_ffff_ffff_f000) >> 12
    // Text is made only for a failure: this runs for every entry of every table.
    var place: String { "entry \(index) of L\(level) table \(frame.number), frame \(target)" }
    let owner = hypervisor.frames[frame].pointee.owner
    let isPrivileged = hypervisor.domains.find(owner)?.pointee.isPrivileged ?? false
    guard target < machine.frameCount,
      hypervisor.frames[MachineFrame(UInt64(target))].pointee.owner != .io
    else {
      if level == 1, isPrivileged { return }
      throw Violation(description: "\(place): not memory")
    }
    let record = hypervisor.frames[MachineFrame(UInt64(target))].pointee
    // A privileged domain may map others' frames, and its own into the tables of others.
    let isForeignFine =
      allowForeign || isPrivileged
      || hypervisor.domains.find(record.owner)?.pointee.isPrivileged ?? false
    var user: DomainID?
    if record.owner != owner, !isForeignFine {
      guard level == 1, record.owner.isOrdinary else {
        throw Violation(description: "\(place): owned by \(record.owner.rawValue)")
      }
      // Only a grant can have made it: there must be a mapping for each.
      let entry = GrantedEntry(user: owner, frame: target, isWritable: word & 2 != 0)
      foreign[entry, default: 0] += 1
      user = owner
    }
    let is32Bit = hypervisor.domains.find(owner)?.pointee.is32Bit ?? false
    if is32Bit, level > 2 {
      let type: FrameType = index == 3 ? .level2High : .level2
      guard level == 3, word & 6 == 6, record.type == type else {
        throw Violation(description: "\(place): \(record.type) under a 32-bit top table")
      }
    } else if !is32Bit, word & 4 == 0 {
      throw Violation(description: "\(place): no user bit")
    }
    if level == 1 {
      counts[target].references += 1
      // A processor can have it in its TLB from here on, unless the table is in the making.
      if hypervisor.frames[frame].pointee.typeUses > 0 {
        machine.noteTranslation(
          of: target, owner: record.owner, isWritable: word & 2 != 0, grantedTo: user)
      }
      guard word & 2 != 0 else { return }
      counts[target].uses += 1
      if record.type != .writable {
        throw Violation(description: "\(place): writable, but type \(record.type)")
      }
      return
    }
    if word & 0x198 != 0 { throw Violation(description: "\(place): bad flags") }
    if target == Int(frame.number) {
      if word & 2 != 0 { throw Violation(description: "\(place): writable map of itself") }
      return
    }
    counts[target].references += 1
    counts[target].uses += 1
    if record.type.level == level {
      if word & 2 != 0 { throw Violation(description: "\(place): writable linear map") }
      counts[target].linear -= 1
      counts[Int(frame.number)].linear += 1
    } else if record.type.level != level - 1 {
      throw Violation(description: "\(place): type \(record.type)")
    }
  }

  private func compare(_ counts: [Count]) throws(Violation) {
    for number in 0..<machine.frameCount {
      let record = hypervisor.frames[MachineFrame(UInt64(number))].pointee
      let found = Count(
        references: record.references, uses: record.typeUses, linear: Int(record.linear))
      guard found == counts[number] else {
        throw Violation(
          description: "frame \(number) \(record.type): kept \(found), counted \(counts[number])")
      }
    }
  }

  private func checkFreeList() throws(Violation) {
    var free: UInt64 = 0
    for number in 0..<machine.frameCount
    where hypervisor.frames[MachineFrame(UInt64(number))].pointee.owner == .invalid {
      free += 1
    }
    guard free == hypervisor.state.pointee.freeCount else {
      throw Violation(
        description: "\(free) free frames, \(hypervisor.state.pointee.freeCount) counted")
    }
  }

  /// What a TLB may hold must not reach a table or a new owner.
  private func checkTranslations() throws(Violation) {
    for number in 0..<machine.frameCount {
      let record = hypervisor.frames[MachineFrame(UInt64(number))].pointee
      if machine.writable[number] != .invalid, record.typeUses > 0, record.type != .writable {
        throw Violation(description: "stale writable translation of \(record.type) \(number)")
      }
      let owner = machine.readable[number]
      if owner != .invalid, record.owner != owner, record.owner != .invalid {
        throw Violation(description: "stale translation of \(number), which has a new owner")
      }
    }
  }
}
