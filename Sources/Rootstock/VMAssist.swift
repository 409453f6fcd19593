// vm_assist: switches of behaviour (abi/multicall.yaml, assist-type).

import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// The assists that a 64-bit guest may name.
  ///
  /// The segment and CR3 assists are for 32-bit guests; for a 64-bit guest they have no effect on Xen
  /// either.
  static var knownAssists: UInt64 {
    1 << UInt64(VMASST_TYPE_4gb_segments) | 1 << UInt64(VMASST_TYPE_4gb_segments_notify)
      | 1 << UInt64(VMASST_TYPE_writable_pagetables) | 1 << UInt64(VMASST_TYPE_pae_extended_cr3)
      | 1 << UInt64(VMASST_TYPE_architectural_iopl)
      | 1 << UInt64(VMASST_TYPE_runstate_update_flag) | 1 << UInt64(VMASST_TYPE_m2p_strict)
  }

  mutating func vmAssist(_ arguments: HypercallArguments) -> HypercallResult {
    let type = arguments.word(1)
    guard type < 64, Self.knownAssists >> UInt64(type) & 1 != 0 else { return .error(.invalid) }
    switch arguments.command(0) {
    case VMASST_CMD_enable: assists |= 1 << UInt64(type)
    case VMASST_CMD_disable: assists &= ~(1 << UInt64(type))
    default: return .error(.noSuchCall)
    }
    return .value(0)
  }
}
