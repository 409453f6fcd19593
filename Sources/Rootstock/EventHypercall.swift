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
    let argument = GuestVirtualAddress(frame.pointee.rsi)
    var result = -HypercallError.fault.rawValue
    if let port = GuestMemory.load32(from: argument) {
      result = send(EventPort(port))
    }
    finish(UInt64(__HYPERVISOR_event_channel_op), with: result, frame)
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
