// vcpu_op: abi/vcpu.yaml.

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  mutating func vcpuOperation(_ arguments: HypercallArguments) -> HypercallResult {
    let argument = arguments.address(2)
    guard arguments.word(1) < UInt32(domain.pointee.vcpuCount) else { return .error(.noEntry) }
    let target = domain.pointee.vcpus[Int(arguments.word(1))].pointee.guest
    switch arguments.command(0) {
    case VCPUOP_is_up: return .value(target.pointee.isUp ? 1 : 0)
    case VCPUOP_stop_periodic_timer: setPeriod(0)
    case VCPUOP_stop_singleshot_timer: setSingleShot(at: nil)
    default: return .error(.noSuchCall)
    }
    return .value(0)
  }
}
