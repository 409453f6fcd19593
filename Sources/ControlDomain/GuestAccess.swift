// What backends need of the hypervisor: guests' pages and ports.

import ControlCore
import GuestRuntime

/// Guests' pages, by hypercalls.
struct GuestPages: GrantAccess {
  func map(
    _ references: [GrantReference], of domain: DomainID, isWritable: Bool, isConsecutive: Bool
  ) -> [MappedPage]? {
    let numbers = references.map { $0.rawValue }
    guard let mappings = Grants.map(numbers, of: domain.rawValue, isWritable: isWritable) else {
      return nil
    }
    return mappings.map { mapping in
      // SAFETY: the hypervisor has mapped a page there, which stays until `unmap`.
      MappedPage(
        address: UnsafeMutableRawPointer(bitPattern: UInt(mapping.address)).unsafelyUnwrapped,
        machine: mapping.machine, handle: mapping.handle)
    }
  }

  func unmap(_ pages: [MappedPage]) {
    Grants.unmap(
      pages.map {
        GrantMapping(
          address: UInt64(UInt(bitPattern: $0.address)), machine: $0.machine, handle: $0.handle)
      })
  }

  func copy(_ pieces: inout [GrantCopy], of domain: DomainID) {
    let done = Grants.copy(
      pieces.map {
        GrantPiece(
          $0.reference.rawValue, offset: $0.offset, local: $0.local, count: $0.count,
          isToGuest: $0.isToGuest)
      }, of: domain.rawValue)
    for index in pieces.indices { pieces[index].isDone = done[index] }
  }
}

/// Guests' ports, by hypercalls.
///
/// Whoever owns the backend sets what an event does.
final class GuestPorts: EventAccess {
  /// Called for each event, with the port of ours.
  var onEvent: (EventPort) -> Void = { _ in }

  func bind(_ remote: UInt32, of domain: DomainID) -> EventPort? {
    guard let number = Events.bind(remote: remote, of: domain.rawValue) else { return nil }
    Events.handle(number) { [self] in onEvent(EventPort(number)) }
    return EventPort(number)
  }

  func unbind(_ port: EventPort) { Events.close(port.rawValue) }
  func notify(_ port: EventPort) { Events.notify(port.rawValue) }
}
