// multicall: an array of hypercalls in one entry (abi/multicall.yaml).

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  mutating func multicall(
    _ arguments: HypercallArguments, _ frame: FramePointer
  ) throws(HypercallError) -> Int64 {
    guard !isInMulticall else { throw .invalid }
    isInMulticall = true
    defer { isInMulticall = false }
    var address = arguments.firstAddress
    for _ in 0..<arguments.secondWord {
      guard let entry = GuestMemory.load(multicall_entry(), from: address) else { throw .fault }
      let result = performElement(entry, frame)
      guard let place = address.advanced(by: 8), GuestMemory.store(result, to: place),
        let next = address.advanced(by: UInt64(MemoryLayout<multicall_entry>.size))
      else { throw .fault }
      address = next
    }
    return 0
  }

  private mutating func performElement(_ entry: multicall_entry, _ frame: FramePointer) -> Int64 {
    var arguments = HypercallArguments()
    arguments.first = UInt64(entry.args.0)
    arguments.second = UInt64(entry.args.1)
    arguments.third = UInt64(entry.args.2)
    arguments.fourth = UInt64(entry.args.3)
    arguments.fifth = UInt64(entry.args.4)
    arguments.sixth = UInt64(entry.args.5)
    do throws(HypercallError) {
      return try perform(UInt64(entry.op), arguments, frame)
    } catch {
      return -error.rawValue
    }
  }
}
