// Descriptor pages: what may stand in a guest's GDT or LDT.

import X86

extension Hypervisor {
  /// Checks all descriptors of a frame that becomes a descriptor page, and raises their privilege
  /// levels in place.
  func validateDescriptors(in frame: MachineFrame, of domain: DomainPointer) -> Bool {
    let words = machine.words(of: frame)
    for index in 0..<512 {
      guard let checked = checked(SegmentDescriptor(rawValue: words[index]), for: domain) else {
        return false
      }
      // What stays as it was is not written: a refusal later must find little changed.
      if checked.rawValue != words[index] { words[index] = checked.rawValue }
    }
    return true
  }

  /// A descriptor as a domain may have it; nil for one that it must not have.
  func checked(_ descriptor: SegmentDescriptor, for domain: DomainPointer) -> SegmentDescriptor? {
    guard domain.pointee.is32Bit else { return descriptor.checkedForGuest }
    let window = UInt64(state.pointee.compatWindowCount) << 21
    return descriptor.checkedForCompatGuest(
      end: min(domain.pointee.reservedStart + window, 1 << 32))
  }
}
