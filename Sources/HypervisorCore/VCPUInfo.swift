// VCPUOP_register_vcpu_info: a vcpu's info page moves out of shared_info.

import CXenABI

extension Hypervisor {
  /// Moves the vcpu_info of a vcpu to a place in one of the domain's frames, once and for ever.
  ///
  /// The frame is kept writable and referenced: it can become no table and is not freed. Everything
  /// is marked pending there, so that no event between the copy and the move is lost.
  public func registerInfo(
    of vcpu: UnsafeMutablePointer<VCPU>, in frame: MachineFrame, offset: UInt32,
    domain: DomainPointer
  ) throws(HypercallError) {
    let size = MemoryLayout<vcpu_info>.size
    // Compared before anything is added: the offset may be any 32 bits.
    guard offset & 7 == 0, offset <= UInt32(Int(XEN_PAGE_SIZE) - size) else { throw .noDevice }
    guard vcpu.pointee.infoFrame == nil else { throw .invalid }
    do throws(MemoryError) {
      try take(frame, as: .writable, ownedBy: domain)
    } catch {
      if error == .preempted { throw .busy }
      throw .invalid
    }
    let target = machine.words(of: frame) + Int(offset) / 8
    if let source = info(of: vcpu, in: domain) {
      for index in 0..<SharedOffset.infoSize { target[index] = source[index] }
    } else {
      for index in 0..<SharedOffset.infoSize { target[index] = 0 }
      // A vcpu starts with its upcall masked, which is the second byte.
      target[0] = 1 << 8
    }
    vcpu.pointee.infoFrame = frame
    vcpu.pointee.infoOffset = Int(offset)
    SharedOffset.fillSelector(of: target, in: domain, isSet: true)
    markUpcall(vcpu, target)
  }

  /// Gives the frame back when the domain dies.
  func dropInfo(of vcpu: UnsafeMutablePointer<VCPU>) {
    guard let frame = vcpu.pointee.infoFrame else { return }
    vcpu.pointee.infoFrame = nil
    drop(frame)
  }
}
