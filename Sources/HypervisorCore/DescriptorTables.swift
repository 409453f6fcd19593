// Hypercalls set_gdt and update_descriptor. The frames of a GDT are descriptor pages
// as long as a vcpu uses them, so a guest changes them only through checks.

import X86

/// What of a GDT is a guest's.
enum DescriptorLimit {
  /// Frames of 512 entries.
  static var frames: Int { 14 }
  /// Entries; the rest is the hypervisor's.
  static var entries: Int { frames * 512 }
}

extension Hypervisor {
  /// set_gdt(frames, entries): up to 14 frames, 7168 entries.
  ///
  /// The rest of the GDT is the hypervisor's. The metal loads the new table when this answers 0.
  public func setGDT(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    do throws(HypercallError) {
      let entries = arguments[1] & 0xffff_ffff
      guard entries <= UInt64(DescriptorLimit.entries) else { throw .invalid }
      let count = Int(entries + 511) / 512
      var list = InlineArray<14, MachineFrame>(repeating: MachineFrame(0))
      let base = GuestVirtualAddress(arguments[0])
      for index in 0..<count {
        list[index] = MachineFrame(
          try readFrameNumber(UInt64(index), of: base, caller.domain))
      }
      do throws(MemoryError) {
        try takeDescriptors(
          list, count, entries: UInt32(truncatingIfNeeded: entries), for: caller.vcpu,
          of: caller.domain)
      } catch {
        guard error == .preempted else { throw .invalid }
        do throws(MemoryError) { try drain(caller.domain) } catch {}
        return .again
      }
      return .value(0)
    } catch {
      return .error(error)
    }
  }

  /// Makes frames a vcpu's GDT, in the place of those it had; all of them or none.
  func takeDescriptors(
    _ list: InlineArray<14, MachineFrame>, _ count: Int, entries: UInt32,
    for vcpu: UnsafeMutablePointer<VCPU>, of domain: DomainPointer
  ) throws(MemoryError) {
    for index in 0..<count {
      do { try take(list[index], as: .descriptors, ownedBy: domain) } catch {
        for taken in 0..<index { drop(list[taken]) }
        throw error
      }
    }
    dropDescriptors(of: vcpu)
    vcpu.pointee.descriptorFrames = list
    vcpu.pointee.descriptorFrameCount = count
    vcpu.pointee.descriptorCount = entries
  }

  /// update_descriptor(machine address, descriptor).
  ///
  /// Where the address is in a descriptor page, processors may be using it, so one word is written
  /// at once. In other memory of the caller it is just written.
  public func updateDescriptor(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    let address = MachineAddress(arguments[0])
    let descriptor = SegmentDescriptor(rawValue: arguments[1])
    guard address.value & 7 == 0, let checked = checked(descriptor, for: caller.domain),
      takeReference(to: address.frame, ownedBy: caller.domain.pointee.id)
    else { return .error(.invalid) }
    let frame = address.frame
    defer { dropReference(to: frame) }
    let record = frames[frame]
    let isDescriptorPage = record.pointee.typeUses > 0 && record.pointee.type == .descriptors
    do {
      try takeType(isDescriptorPage ? .descriptors : .writable, of: frame, in: caller.domain)
    } catch {
      guard error == .preempted else { return .error(.invalid) }
      do throws(MemoryError) { try drain(caller.domain) } catch {}
      return .again
    }
    machine.words(of: frame)[address.offset >> 3] = checked.rawValue
    dropType(of: frame)
    return .value(0)
  }

  /// Gives the frames of a vcpu's GDT back.
  func dropDescriptors(of vcpu: UnsafeMutablePointer<VCPU>) {
    for index in 0..<vcpu.pointee.descriptorFrameCount {
      drop(vcpu.pointee.descriptorFrames[index])
    }
    vcpu.pointee.descriptorFrameCount = 0
    vcpu.pointee.descriptorCount = 0
  }
}
