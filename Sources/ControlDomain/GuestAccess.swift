// What backends need of the hypervisor: guests' pages and ports.

import ControlCore
import GuestRuntime

/// Guests' pages, by hypercalls.
struct GuestPages: GrantAccess {
  private let interposer: Interposer
  private let isNetwork: Bool

  /// Pages of guests, for disks or for networks.
  init(_ interposer: Interposer, isNetwork: Bool) {
    self.interposer = interposer
    self.isNetwork = isNetwork
  }

  func map(
    _ references: [GrantReference], of domain: DomainID, isWritable: Bool, isConsecutive: Bool
  ) -> [MappedPage]? {
    let numbers = references.map { $0.rawValue }
    // A disk's data goes between the guest's memory and the device, and is never looked at here.
    // Networks map nothing but rings: data is copied.
    let isRing = isNetwork || isConsecutive
    guard
      let mappings = Grants.map(
        numbers, of: domain.rawValue, isWritable: isWritable, forDevices: !isRing)
    else { return nil }
    let pages = mappings.map { mapping in
      // SAFETY: the hypervisor has mapped a page there, which stays until `unmap`; or nobody uses it.
      MappedPage(
        address: UnsafeMutableRawPointer(bitPattern: UInt(mapping.address)) ?? Self.nowhere,
        machine: mapping.machine, handle: mapping.handle)
    }
    return interposer.mapped(pages, of: domain, isNetwork: isNetwork, isRing: isRing)
  }

  /// Stands for the address of a page that only devices reach; no mapping can begin there.
  private static var nowhere: UnsafeMutableRawPointer {
    // SAFETY: compared, and never followed.
    UnsafeMutableRawPointer(bitPattern: 1).unsafelyUnwrapped
  }

  func unmap(_ pages: [MappedPage]) { GuestPages.end(interposer.unmapped(pages)) }

  static func end(_ pages: [MappedPage]) {
    Grants.unmap(
      pages.map {
        GrantMapping(
          address: $0.address == nowhere ? 0 : UInt64(UInt(bitPattern: $0.address)),
          machine: $0.machine, handle: $0.handle)
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
  private let interposer: Interposer
  private let isNetwork: Bool
  /// Called for each event, with the port of ours.
  var onEvent: (EventPort) -> Void = { _ in }

  /// Ports of disks or of networks.
  init(_ interposer: Interposer, isNetwork: Bool) {
    self.interposer = interposer
    self.isNetwork = isNetwork
  }

  func bind(_ remote: UInt32, of domain: DomainID) -> EventPort? {
    guard let number = Events.bind(remote: remote, of: domain.rawValue) else { return nil }
    Events.handle(number) { [self] in onEvent(EventPort(number)) }
    interposer.bound(EventPort(number), of: domain, isNetwork: isNetwork)
    return EventPort(number)
  }

  func unbind(_ port: EventPort) {
    if interposer.unbound(port) { Events.close(port.rawValue) }
  }
  func notify(_ port: EventPort) {
    if interposer.sends(port) { Events.notify(port.rawValue) }
  }
}
