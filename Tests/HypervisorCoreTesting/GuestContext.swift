// A vcpu_guest_context in the guest's window, for VCPUOP_initialise.

import CXenABI
public import HypervisorCore
import XenABI

/// What a test or the hostile guest puts into a vcpu_guest_context.
public struct GuestContext {
  /// VGCF bits.
  public var flags = UInt64(VGCF_in_kernel)
  /// Instruction pointer.
  public var entry: UInt64 = 0x40_0000
  /// Flags.
  public var rflags: UInt64 = 0
  /// Control register 3: the kernel's table.
  public var kernelTable: MachineFrame
  /// The table of user mode; frame 0 for none.
  public var userTable = MachineFrame(0)
  /// Frames of the GDT.
  public var descriptorFrames: [MachineFrame] = []
  /// Entries of the GDT.
  public var descriptorCount: UInt64 = 0
  /// Where the LDT lies.
  public var localTableBase: UInt64 = 0
  /// Entries of the LDT.
  public var localTableCount: UInt64 = 0
  /// Event entry.
  public var eventCallback: UInt64 = 0
  /// FS base.
  public var fsBase: UInt64 = 0

  /// A context with a kernel table.
  public init(kernelTable: MachineFrame) { self.kernelTable = kernelTable }
}

extension Bench {
  /// Where `poke` puts a context.
  public static let contextOffset = 32 * 1024
  /// Its address.
  public static var contextAddress: GuestVirtualAddress {
    GuestVirtualAddress(FakeMachine.windowBase.value + UInt64(contextOffset))
  }

  /// Puts a context into the guest's window.
  public func poke(_ context: GuestContext) {
    typealias Layout = Xen.Offset.vcpu_guest_context
    func set(_ offset: Int, _ words: UInt64...) {
      machine.poke(words, at: Self.contextOffset + offset)
    }
    machine.poke(
      Array(repeating: 0, count: MemoryLayout<vcpu_guest_context>.size / 8), at: Self.contextOffset)
    let registers = Layout.user_regs
    let controls = Layout.ctrlreg
    set(Layout.flags, context.flags)
    set(registers + Xen.Offset.cpu_user_regs.rip, context.entry)
    set(registers + Xen.Offset.cpu_user_regs.rflags, context.rflags)
    set(controls + 8, context.userTable.address.value)
    set(controls + 24, context.kernelTable.address.value)
    for (index, frame) in context.descriptorFrames.prefix(16).enumerated() {
      set(Layout.gdt_frames + index * 8, frame.number)
    }
    set(Layout.gdt_ents, context.descriptorCount)
    set(Layout.ldt_base, context.localTableBase)
    set(Layout.ldt_ents, context.localTableCount)
    set(Layout.event_callback_eip, context.eventCallback)
    set(Layout.fs_base, context.fsBase)
  }

  /// Makes VCPUOP_initialise of a vcpu until it is done, as a guest's restarts do.
  ///
  /// Nil: it never ends.
  public func initialise(_ vcpu: UInt32, limit: Int = 10_000, from caller: Caller) -> Int64? {
    for _ in 0..<limit {
      do throws(HypercallError) {
        let request = try hypervisor.vcpuOperation(
          HypercallArguments(UInt64(VCPUOP_initialise), UInt64(vcpu), Self.contextAddress.value),
          from: caller)
        guard case .initialise(let address) = request.action else { return nil }
        do throws(MemoryError) {
          _ = try hypervisor.initialise(request.vcpu, from: .guest(address), of: caller.domain)
          return 0
        } catch {
          if case .refused(let reason) = error { return -reason.rawValue }
        }
      } catch {
        return -error.rawValue
      }
    }
    return nil
  }
}
