// Debug registers: hypercalls, emulated moves, and what the processor holds while a vcpu runs.

import CMachine
import HypervisorCore
import X86

extension GuestProcessor {
  private static let debugExtensions: UInt64 = 1 << 3

  private var hasDebugExtensions: Bool { controls & Self.debugExtensions != 0 }

  private var endOfBreakpoints: UInt64? { is32Bit ? domain.pointee.reservedStart : nil }

  /// set_debugreg(number, value).
  mutating func setDebugRegister(_ arguments: HypercallArguments) -> HypercallResult {
    do throws(DebugRegisterError) {
      try debug.write(
        Int(arguments.command(0)), arguments[1], hasExtensions: hasDebugExtensions,
        end: endOfBreakpoints)
      loadDebugRegisters()
      return .value(0)
    } catch {
      switch error {
      case .absent: return .error(.noSuchDevice)
      case .malformed: return .error(.invalid)
      case .forbidden: return .error(.notPermitted)
      }
    }
  }

  /// get_debugreg(number): a value may look like an error, which the ABI accepts.
  func debugRegister(_ arguments: HypercallArguments) -> HypercallResult {
    do throws(DebugRegisterError) {
      let value = try debug.read(
        Int(arguments.command(0)), hasExtensions: hasDebugExtensions)
      return .value(Int64(bitPattern: value))
    } catch {
      return .error(.noSuchDevice)
    }
  }

  /// `mov` from a debug register.
  mutating func readDebugRegister(
    _ instruction: inout InstructionBytes, _ frame: FramePointer
  ) -> Emulation {
    guard let modRM = instruction.next() else { return .refused }
    do throws(DebugRegisterError) {
      frame[register: instruction.baseField(modRM)] = try debug.read(
        instruction.registerField(modRM), hasExtensions: hasDebugExtensions)
      return .done
    } catch { return .fault(Vector.invalidOpcode) }
  }

  /// `mov` to a debug register.
  mutating func writeDebugRegister(
    _ instruction: inout InstructionBytes, _ frame: FramePointer
  ) -> Emulation {
    guard let modRM = instruction.next() else { return .refused }
    do throws(DebugRegisterError) {
      try debug.write(
        instruction.registerField(modRM),
        frame[register: instruction.baseField(modRM)],
        hasExtensions: hasDebugExtensions, end: endOfBreakpoints)
      loadDebugRegisters()
      return .done
    } catch { return error == .absent ? .fault(Vector.invalidOpcode) : .refused }
  }

  /// Loads the breakpoints of the vcpu that is about to run, or has changed them.
  ///
  /// They stay in force in the hypervisor: instruction breakpoints lie outside it, and a data
  /// breakpoint that its copy of guest memory meets is a trap that internalTrap drops.
  mutating func loadDebugRegisters() {
    var (addresses, control) = (debug.addresses, debug.hardwareControl)
    if control == 0, order.pointee.steps.isOn {
      (addresses, control) = order.pointee.steps.breakpoints
    }
    if control != 0 {
      xg_write_dr0(addresses[0])
      xg_write_dr1(addresses[1])
      xg_write_dr2(addresses[2])
      xg_write_dr3(addresses[3])
      xg_write_dr6(0xffff_0ff0)
    }
    let cpu = xg_this_cpu()
    if control != cpu.pointee.loaded_dr7 {
      xg_write_dr7(control)
      cpu.pointee.loaded_dr7 = control
    }
  }

  /// Takes up what the processor says of a debug exception of the guest.
  mutating func noteDebugException() {
    debug.note(xg_read_dr6() ^ 0xffff_0ff0)
    xg_write_dr6(0xffff_0ff0)
  }
}
