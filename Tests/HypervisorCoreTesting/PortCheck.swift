// The invariants of event channels: both ends of a channel know each other.

import HypervisorCore

extension Bench {
  /// Looks at every port of every domain; the first broken one is thrown.
  func checkPorts() throws(Violation) {
    for slot in 0..<hypervisor.domains.capacity {
      guard let domain = hypervisor.domains[slot] else { continue }
      let id = domain.pointee.id
      guard let ports = domain.pointee.ports else { continue }
      for index in 0..<domain.pointee.portCount {
        let record = ports[index]
        if index == 0 || domain.pointee.isDying, record.kind != .closed {
          throw Violation(description: "port \(index) of \(id.rawValue) is open")
        }
        guard Int(record.vcpu.rawValue) < domain.pointee.vcpuCount else {
          throw Violation(description: "port \(index) of \(id.rawValue): no such vcpu")
        }
        guard record.kind == .interdomain else { continue }
        guard let other = hypervisor.domains.find(record.remoteDomain),
          let far = other.pointee.ports, Int(record.remotePort.rawValue) < other.pointee.portCount
        else { throw Violation(description: "port \(index) of \(id.rawValue): no other end") }
        let end = far[Int(record.remotePort.rawValue)]
        guard end.kind == .interdomain, end.remoteDomain == id,
          end.remotePort.rawValue == UInt32(index)
        else {
          throw Violation(
            description: "port \(index) of \(id.rawValue): its other end knows another")
        }
      }
    }
  }
}
