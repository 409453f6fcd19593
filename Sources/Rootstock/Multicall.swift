// multicall: an array of hypercalls in one entry (abi/multicall.yaml).

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// Elements are carried out one by one.
  ///
  /// One that is interrupted is what the call begins with when it is made again, with its progress in
  /// the guest's array. An iret ends the call: the registers are no longer those of its caller.
  mutating func multicall(
    _ arguments: inout HypercallArguments, _ frame: FramePointer
  ) -> HypercallResult {
    guard !isInMulticall else { return .error(.invalid) }
    isInMulticall = true
    defer { isInMulticall = false }
    var rest = arguments.word(1)
    while rest > 0 {
      let address = arguments.address(0)
      guard var entry = GuestMemory.load(multicall_entry(), from: address),
        let next = address.advanced(by: UInt64(MemoryLayout<multicall_entry>.size))
      else { return .error(.fault) }
      if entry.op == __HYPERVISOR_iret { return returnFromMulticall(frame, resultAt: address) }
      switch performElement(&entry, frame) {
      case .value(let result):
        guard let place = address.advanced(by: 8), GuestMemory.store(result, to: place) else {
          return .error(.fault)
        }
      case .again:
        guard GuestMemory.store(entry, to: address) else { return .error(.fault) }
        return .again
      }
      rest -= 1
      arguments[0] = next.value
      arguments[1] = UInt64(rest)
    }
    return .value(0)
  }

  /// The element's result, and the call's, is the rax that the frame has.
  private mutating func returnFromMulticall(
    _ frame: FramePointer, resultAt address: GuestVirtualAddress
  ) -> HypercallResult {
    _ = returnFromHandler(frame)
    // A hypercall may lose rcx and r11 on its way back; after work every register comes back.
    Work.request(Work.schedule)
    let result = Int64(bitPattern: frame.pointee.rax)
    // In user mode the array may not be there, and nobody is left to be told.
    if let place = address.advanced(by: 8) { _ = GuestMemory.store(result, to: place) }
    return .value(result)
  }

  private mutating func performElement(
    _ entry: inout multicall_entry, _ frame: FramePointer
  ) -> HypercallResult {
    var arguments = HypercallArguments(
      UInt64(entry.args.0), UInt64(entry.args.1), UInt64(entry.args.2), UInt64(entry.args.3),
      UInt64(entry.args.4), UInt64(entry.args.5))
    let result = perform(UInt64(entry.op), &arguments, frame)
    if result == .again {
      entry.args = (
        UInt(arguments[0]), UInt(arguments[1]), UInt(arguments[2]), UInt(arguments[3]),
        UInt(arguments[4]), UInt(arguments[5])
      )
    }
    return result
  }
}
