// event_channel_op: HypervisorCore's. What makes or ends ports is alone in the core; what only signals them
// is not.

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  mutating func eventChannelOperation(_ arguments: inout HypercallArguments) -> HypercallResult {
    let caller = caller
    switch arguments.command(0) {
    case EVTCHNOP_send, EVTCHNOP_unmask:
      return withPart { Host.hypervisor.eventChannelOperation(&arguments, from: caller) }
    default:
      return withCore { Host.hypervisor.eventChannelOperation(&arguments, from: caller) }
    }
  }

  /// EVTCHNOP_send, of all operations the one that guests use all the time.
  @inline(__always)
  func sendEvent(_ frame: FramePointer) {
    let result = sendEvent(named: GuestVirtualAddress(frame.pointee.rsi))
    finish(UInt64(__HYPERVISOR_event_channel_op), with: result, frame)
  }

  /// The same, with the structure at this address.
  @inline(__always)
  func sendEvent(named argument: GuestVirtualAddress) -> Int64 {
    guard let port = GuestMemory.load32(from: argument) else {
      return -HypercallError.fault.rawValue
    }
    return send(EventPort(port))
  }

  @inline(__always)
  private func send(_ port: EventPort) -> Int64 {
    withPart {
      do throws(HypercallError) {
        try Host.hypervisor.send(port, from: domain)
        return 0
      } catch { return -error.rawValue }
    }
  }
}
