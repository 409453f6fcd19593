// Pages that other domains grant: mapped into the window, or copied by the hypervisor.

internal import CXenABI

/// A granted page as it is mapped here.
public struct GrantMapping {
  /// Where it is mapped; 0 where only devices reach it.
  public var address: UInt64
  /// Where it is in the machine, for devices.
  public var machine: UInt64
  /// What the mapping is ended by.
  public var handle: UInt32

  /// A mapping.
  public init(address: UInt64, machine: UInt64, handle: UInt32) {
    self.address = address
    self.machine = machine
    self.handle = handle
  }
}

/// One piece of a batch of copies between a granted page and memory of ours.
public struct GrantPiece {
  var reference: UInt32
  var offset: Int
  var local: UnsafeMutableRawPointer
  var count: Int
  var isToGuest: Bool

  /// A piece: offset and count stay within the granted page; our memory may cross pages' ends.
  public init(
    _ reference: UInt32, offset: Int, local: UnsafeMutableRawPointer, count: Int, isToGuest: Bool
  ) {
    self.reference = reference
    self.offset = offset
    self.local = local
    self.count = count
    self.isToGuest = isToGuest
  }
}

/// The grants of other domains.
public enum Grants {
  /// Maps pages at consecutive addresses, or only for devices, which needs no page table; `nil`, and none
  /// mapped, where any of them is refused.
  public static func map(
    _ references: [UInt32], of domain: UInt16, isWritable: Bool, forDevices: Bool = false
  ) -> [GrantMapping]? {
    guard !references.isEmpty, let address = forDevices ? 0 : Window.take(references.count) else {
      return nil
    }
    let kind = forDevices ? GNTMAP_device_map : GNTMAP_host_map
    var requests = [gnttab_map_grant_ref](
      repeating: gnttab_map_grant_ref(), count: references.count)
    for index in references.indices {
      if !forDevices { requests[index].host_addr = address + UInt64(index) << 12 }
      requests[index].flags = UInt32(kind | (isWritable ? 0 : GNTMAP_readonly))
      requests[index].ref = references[index]
      requests[index].dom = domain
      // What the hypervisor does not come to counts as refused.
      requests[index].status = Int16(GNTST_general_error)
    }
    _ = HYPERVISOR_grant_table_op(
      UInt32(GNTTABOP_map_grant_ref), &requests, UInt32(references.count))
    var mapped: [GrantMapping] = []
    for request in requests where Int32(request.status) == GNTST_okay {
      mapped.append(
        GrantMapping(
          address: request.host_addr, machine: request.dev_bus_addr, handle: request.handle))
    }
    if mapped.count == references.count { return mapped }
    end(mapped)
    if !forDevices { Window.give(address, count: references.count) }
    return nil
  }

  /// Ends mappings, and gives their addresses back.
  public static func unmap(_ mappings: [GrantMapping]) {
    end(mappings)
    var first = 0
    while first < mappings.count {
      var next = first + 1
      while next < mappings.count,
        mappings[next].address == mappings[first].address + UInt64(next - first) << 12
      { next += 1 }
      if mappings[first].address != 0 {
        Window.give(mappings[first].address, count: next - first)
      }
      first = next
    }
  }

  private static func end(_ mappings: [GrantMapping]) {
    guard !mappings.isEmpty else { return }
    var requests = [gnttab_unmap_grant_ref](
      repeating: gnttab_unmap_grant_ref(), count: mappings.count)
    for index in mappings.indices {
      requests[index].host_addr = mappings[index].address
      if mappings[index].address == 0 { requests[index].dev_bus_addr = mappings[index].machine }
      requests[index].handle = mappings[index].handle
    }
    _ = HYPERVISOR_grant_table_op(
      UInt32(GNTTABOP_unmap_grant_ref), &requests, UInt32(mappings.count))
  }

  /// Copies pieces; answers for each whether all of it was copied.
  public static func copy(_ pieces: [GrantPiece], of domain: UInt16) -> [Bool] {
    var requests: [gnttab_copy] = []
    var owners: [Int] = []
    for index in pieces.indices {
      let piece = pieces[index]
      var done = 0
      while done < piece.count {
        // The hypervisor knows our memory by frames, so a piece ends where a page does.
        let machine = Memory.machineAddress(of: piece.local + done)
        let count = min(piece.count - done, 4096 - Int(machine & 0xfff))
        var granted = gnttab_copy_ptr()
        granted.u.ref = piece.reference
        granted.domid = domain
        granted.offset = UInt16(truncatingIfNeeded: piece.offset + done)
        var own = gnttab_copy_ptr()
        own.u.gmfn = UInt(machine >> 12)
        own.domid = UInt16(DOMID_SELF)
        own.offset = UInt16(machine & 0xfff)
        var request = gnttab_copy()
        request.source = piece.isToGuest ? own : granted
        request.dest = piece.isToGuest ? granted : own
        request.len = UInt16(truncatingIfNeeded: count)
        request.flags = UInt16(piece.isToGuest ? GNTCOPY_dest_gref : GNTCOPY_source_gref)
        request.status = Int16(GNTST_general_error)
        requests.append(request)
        owners.append(index)
        done += count
      }
    }
    guard !requests.isEmpty else { return pieces.map { _ in true } }
    _ = HYPERVISOR_grant_table_op(UInt32(GNTTABOP_copy), &requests, UInt32(requests.count))
    var result = [Bool](repeating: true, count: pieces.count)
    for index in requests.indices where Int32(requests[index].status) != GNTST_okay {
      result[owners[index]] = false
    }
    return result
  }
}
