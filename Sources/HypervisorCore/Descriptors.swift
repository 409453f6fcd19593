// Descriptor pages: what may stand in a guest's GDT or LDT.

import X86

extension Hypervisor {
  /// Checks all descriptors of a frame that becomes a descriptor page, and raises their privilege
  /// levels in place.
  func validateDescriptors(in frame: MachineFrame) -> Bool {
    let words = machine.words(of: frame)
    for index in 0..<512 {
      guard let checked = SegmentDescriptor(rawValue: words[index]).checkedForGuest else {
        return false
      }
      // What stays as it was is not written: a refusal later must find little changed.
      if checked.rawValue != words[index] { words[index] = checked.rawValue }
    }
    return true
  }
}
