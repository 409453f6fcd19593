// A learning bridge (IEEE 802.1D): a frame goes to the port where its destination was seen, to all
// others where it was seen nowhere, and never back to where it came from.

/// Ports joined to one network.
public final class Bridge {
  private var ports: [NetworkPort?] = []
  private var addresses: AddressTable

  /// A bridge without ports, with a limit of learned addresses for each.
  public init(addressesPerPort: Int = 64) {
    addresses = AddressTable(limitPerPort: addressesPerPort)
  }

  /// Adds a port; an address that is given to it is taken from no other port from now on.
  public func attach(_ port: NetworkPort, address: MACAddress? = nil) {
    guard port.number < 0 else { return }
    if let free = ports.firstIndex(where: { $0 == nil }) {
      ports[free] = port
      port.number = free
    } else {
      port.number = ports.count
      ports.append(port)
    }
    if let address, !address.isGroup { addresses.pin(address, to: port.number) }
  }

  /// Takes a port away.
  public func detach(_ port: NetworkPort) {
    guard port.number >= 0, port.number < ports.count, ports[port.number] === port else { return }
    addresses.removeAll(of: port.number)
    ports[port.number] = nil
    port.number = -1
  }

  /// Ports that are attached.
  public var portCount: Int { ports.reduce(0) { $0 + ($1 == nil ? 0 : 1) } }
  /// Addresses that are known.
  public var addressCount: Int { addresses.count }

  /// Passes on a frame that came in at a port.
  public func forward(_ packet: Packet, from port: NetworkPort, now: UInt64) {
    guard port.number >= 0 else { return }
    let source = packet.source
    // A group sends nothing, and nobody takes an address that was given to another port.
    guard !source.isGroup, addresses.learn(source, at: port.number, now: now) else {
      port.dropped += 1
      return
    }
    let destination = packet.destination
    if destination.isReserved { return }
    if !destination.isGroup, let number = addresses.port(of: destination, at: now) {
      if number != port.number { ports[number]?.give(packet) }
      return
    }
    for other in ports {
      guard let other, other !== port else { continue }
      guard !destination.isGroup || other.wants(group: destination) else { continue }
      other.give(packet)
    }
  }
}
