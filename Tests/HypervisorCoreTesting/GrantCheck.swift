// The invariants of grants: what a table says of its uses equals what all domains have mapped, each
// foreign page-table entry has a mapping, and no TLB reaches a frame whose mapping has ended.

import CXenABI
import HypervisorCore

/// Entries by which a domain maps a frame of another's.
struct GrantedEntry: Hashable {
  var user: DomainID
  var frame: Int
  var isWritable: Bool
}

/// An entry of a grant table, and the domain whose it is.
private struct GrantName: Hashable {
  var granter: DomainID
  var reference: UInt32
}

/// What all handles together say of an entry.
private struct GrantSum {
  var user: DomainID
  var frame: UInt32
  var counts: [UInt8] = [0, 0, 0, 0]
}

extension Bench {
  /// Counts what mappings hold, and compares with the tables.
  ///
  /// Answers how many frames of the hypervisor's own the records take.
  func checkGrants(
    _ counts: inout [Count], _ foreign: [GrantedEntry: Int]
  ) throws(Violation) -> Int {
    var sums: [GrantName: GrantSum] = [:]
    var mapped: [GrantedEntry: Int] = [:]
    var ownFrames = 0
    for slot in 0..<hypervisor.domains.capacity {
      guard let domain = hypervisor.domains[slot], let state = domain.pointee.grants else {
        continue
      }
      ownFrames += 1
      guard state.pointee.handleDirectory != 0 else { continue }
      ownFrames += 1 + state.pointee.handleFrames
      try addHandles(of: domain, state, &sums, &mapped, &counts)
    }
    for (entry, count) in foreign where count > mapped[entry, default: 0] {
      throw Violation(
        description: "domain \(entry.user.rawValue) has frame \(entry.frame) without a grant")
    }
    for slot in 0..<hypervisor.domains.capacity {
      guard let domain = hypervisor.domains[slot], let state = domain.pointee.grants else {
        continue
      }
      ownFrames += try compareUses(of: domain, state, &sums)
    }
    for (name, _) in sums {
      guard hypervisor.domains.find(name.granter)?.pointee.isDying ?? false else {
        throw Violation(description: "entry \(name.reference) is mapped and not in use")
      }
    }
    try checkGrantedTranslations(mapped)
    return ownFrames
  }

  private func addHandles(
    of domain: DomainPointer, _ state: UnsafeMutablePointer<GrantState>,
    _ sums: inout [GrantName: GrantSum], _ mapped: inout [GrantedEntry: Int],
    _ counts: inout [Count]
  ) throws(Violation) {
    let id = domain.pointee.id
    let directory = machine.words(of: MachineFrame(UInt64(state.pointee.handleDirectory)))
    for place in 0..<state.pointee.handleFrames {
      let records = UnsafeMutableRawPointer(machine.words(of: MachineFrame(directory[place])))
        .assumingMemoryBound(to: GrantMapping.self)
      for index in 0..<GrantTable.recordsPerFrame where records[index].parts != 0 {
        let mapping = records[index]
        let name = GrantName(granter: mapping.granter, reference: mapping.reference.rawValue)
        var sum = sums[name] ?? GrantSum(user: id, frame: mapping.frame)
        guard sum.user == id, sum.frame == mapping.frame else {
          throw Violation(description: "entry \(name.reference) has two users or frames")
        }
        for bit in 0..<2 where mapping.parts >> UInt16(bit) & 1 != 0 {
          sum.counts[(bit == 0 ? 1 : 0) + (mapping.isWritable ? 2 : 0)] += 1
          counts[Int(mapping.frame)].references += 1
          if mapping.isWritable { counts[Int(mapping.frame)].uses += 1 }
        }
        sums[name] = sum
        if mapping.parts & UInt16(GNTMAP_host_map) != 0 {
          let entry = GrantedEntry(
            user: id, frame: Int(mapping.frame), isWritable: mapping.isWritable)
          mapped[entry, default: 0] += 1
        }
      }
    }
  }

  /// Answers how many frames the uses take.
  private func compareUses(
    of domain: DomainPointer, _ state: UnsafeMutablePointer<GrantState>,
    _ sums: inout [GrantName: GrantSum]
  ) throws(Violation) -> Int {
    let id = domain.pointee.id
    var frames = 0
    var used = 0
    for place in 0..<128 where state.pointee.useFrames[place] != 0 {
      frames += 1
      let frame = MachineFrame(UInt64(state.pointee.useFrames[place]))
      let uses = UnsafeMutableRawPointer(machine.words(of: frame))
        .assumingMemoryBound(to: GrantUse.self)
      for index in 0..<GrantTable.recordsPerFrame where uses[index].total > 0 {
        used += 1
        let reference = UInt32(place * GrantTable.recordsPerFrame + index)
        let sum = sums.removeValue(forKey: GrantName(granter: id, reference: reference))
        let counts = (0..<4).map { uses[index].counts[$0] }
        guard let sum, sum.user == uses[index].user, sum.frame == uses[index].frame,
          sum.counts == counts
        else {
          throw Violation(description: "entry \(reference) of \(id.rawValue): uses \(counts)")
        }
      }
    }
    guard used == state.pointee.usedCount else {
      throw Violation(description: "domain \(id.rawValue): \(used) entries in use")
    }
    return frames
  }

  private func checkGrantedTranslations(_ mapped: [GrantedEntry: Int]) throws(Violation) {
    for frame in 0..<machine.frameCount where machine.granted[frame] != .invalid {
      let user = machine.granted[frame]
      let isMapped = [false, true].contains {
        mapped[GrantedEntry(user: user, frame: frame, isWritable: $0)] != nil
      }
      guard isMapped else {
        throw Violation(description: "stale translation of granted frame \(frame)")
      }
    }
  }
}
