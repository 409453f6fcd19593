// multicall of a 32-bit guest: entries of 32 bytes (abi/multicall.yaml).

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// Elements are carried out one by one, as those of 64-bit guests, and an iret ends the call.
  mutating func compatMulticall(
    _ arguments: inout HypercallArguments, _ frame: FramePointer
  ) -> HypercallResult {
    guard !isInMulticall else { return .error(.invalid) }
    isInMulticall = true
    defer { isInMulticall = false }
    while arguments.word(1) > 0 {
      let address = arguments.address(0)
      guard var entry = GuestMemory.load(CompatCall(), from: address) else { return .error(.fault) }
      if entry.number == UInt32(__HYPERVISOR_iret) {
        returnFromCompatHandler(frame)
        // The element's result, and the call's, is the eax that the frame has.
        let result = UInt32(truncatingIfNeeded: frame.pointee.rax)
        if let place = address.advanced(by: 4) { _ = GuestMemory.store(result, to: place) }
        return .value(Int64(result))
      }
      var own = entry.hypercallArguments
      switch performCompat(UInt64(entry.number), &own, frame) {
      case .value(let result):
        guard let place = address.advanced(by: 4),
          GuestMemory.store(UInt32(truncatingIfNeeded: result), to: place)
        else { return .error(.fault) }
      case .again:
        entry.take(own)
        guard GuestMemory.store(entry, to: address) else { return .error(.fault) }
        return .again
      }
      arguments[0] = (address.value + UInt64(MemoryLayout<CompatCall>.size)) & 0xffff_ffff
      arguments[1] = UInt64(arguments.word(1) - 1)
    }
    return .value(0)
  }
}

/// An entry of a 32-bit guest's multicall.
private struct CompatCall: BitwiseCopyable {
  var number: UInt32 = 0
  var result: UInt32 = 0
  var arguments: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0)

  var hypercallArguments: HypercallArguments {
    HypercallArguments(
      UInt64(arguments.0), UInt64(arguments.1), UInt64(arguments.2), UInt64(arguments.3),
      UInt64(arguments.4), UInt64(arguments.5))
  }

  mutating func take(_ wide: HypercallArguments) {
    arguments = (
      wide.word(0), wide.word(1), wide.word(2), wide.word(3), wide.word(4), wide.word(5)
    )
  }
}
