// I/O privilege: which ports a guest's kernel and user mode may name, and which of them are the
// domain's. Every access of a guest is emulated, so the processor's own IOPL stays 0.

import CMachine
import CXenABI
import HypervisorCore

/// The I/O privilege of a vcpu.
struct PortAccess {
  /// The virtual IOPL, 0 to 3.
  var level: UInt8 = 0
  /// Where the guest has the bitmap for user mode.
  var bitmap = GuestVirtualAddress(0)
  /// How many ports it covers.
  var bitmapCount: UInt32 = 0
}

extension GuestProcessor {
  /// With this assist IOPL is in saved flags as on a machine, and the kernel counts as ring 0.
  var hasArchitecturalIOPL: Bool { assists & 1 << UInt64(VMASST_TYPE_architectural_iopl) != 0 }

  /// Whether its mode has the privilege of cli, sti and all ports.
  var hasPortPrivilege: Bool {
    let ring: UInt8 = isKernelMode ? (hasArchitecturalIOPL ? 0 : 1) : 3
    return ring <= portAccess.level
  }

  /// Whether the guest's kernel lets the mode that runs use these ports.
  ///
  /// The bitmap is read at each access, as the guest may change it; what cannot be read is closed.
  mutating func mayName(port: UInt16, byteCount: Int) -> Bool {
    if hasPortPrivilege { return true }
    guard UInt32(port) + UInt32(byteCount) <= portAccess.bitmapCount,
      let place = portAccess.bitmap.advanced(by: UInt64(port >> 3))
    else { return false }
    var bits: UInt16 = 0xffff
    withKernelTable {
      let isCrossing = Int(port & 7) + byteCount > 8
      if isCrossing {
        bits = GuestMemory.load(UInt16(0xffff), from: place) ?? 0xffff
      } else {
        bits = UInt16(GuestMemory.load(UInt8(0xff), from: place) ?? 0xff)
      }
    }
    return bits >> (port & 7) & (1 << UInt16(byteCount) - 1) == 0
  }

  /// Runs `body` where the kernel's memory can be reached, whatever mode runs.
  private mutating func withKernelTable(_ body: () -> Void) {
    guard !isKernelMode, let kernel = core.pointee.kernelTable,
      let user = core.pointee.userTable
    else { return body() }
    xg_write_cr3(kernel.address.value)
    body()
    xg_write_cr3(user.address.value)
  }

  /// Whether the ports are the domain's: all but the hypervisor's for domain 0, none for others.
  mutating func owns(port: UInt16, byteCount: Int) -> Bool {
    guard domain.pointee.isPrivileged, Int(port) + byteCount <= 0x10000 else { return false }
    let end = Int(port) + byteCount
    func touches(_ first: Int, _ last: Int) -> Bool { Int(port) <= last && end > first }
    return !touches(0x20, 0x21) && !touches(0xa0, 0xa1)  // interrupt controllers
      && !touches(0x40, 0x41)  // timer channels 0 and 1; channel 2 is the speaker's
      && !touches(0xf4, 0xf7)  // QEMU's isa-debug-exit
      && !touches(Int(Serial.port), Int(Serial.port) + 7)
      && (Host.acpi.powerPort == 0  // else it turns the machine off
        || !touches(Int(Host.acpi.powerPort), Int(Host.acpi.powerPort) + 1))
  }

  /// physdev_op: I/O privilege, and interrupts of devices.
  mutating func physicalDevice(_ arguments: HypercallArguments) -> HypercallResult {
    answer { () throws(HypercallError) in try changePortAccess(arguments) }
  }

  private mutating func changePortAccess(
    _ arguments: HypercallArguments
  ) throws(HypercallError) -> Int64 {
    switch arguments.command(0) {
    case PHYSDEVOP_set_iopl:
      guard let request = GuestMemory.load(physdev_set_iopl(), from: arguments.address(1))
      else { throw .fault }
      guard request.iopl <= 3 else { throw .invalid }
      portAccess.level = UInt8(request.iopl)
    case PHYSDEVOP_set_iobitmap:
      // The pointer as a number: address 0 is as good as any.
      guard let address = GuestMemory.load(UInt64(0), from: arguments.address(1)),
        let rest = arguments.address(1).advanced(by: 8),
        let count = GuestMemory.load(UInt32(0), from: rest)
      else { throw .fault }
      guard count <= 65536,
        Host.hypervisor.isOwnRange(
          GuestVirtualAddress(address), byteCount: max(1, UInt64(count + 7) / 8), of: domain)
      else { throw .invalid }
      portAccess.bitmap = GuestVirtualAddress(address)
      portAccess.bitmapCount = count
    case PHYSDEVOP_IRQ_UNMASK_NOTIFY: break
    default:
      return try withCore { () throws(HypercallError) in
        try Host.hypervisor.physicalInterruptOperation(
          arguments.command(0), arguments.address(1), from: caller)
      }
    }
    return 0
  }
}
