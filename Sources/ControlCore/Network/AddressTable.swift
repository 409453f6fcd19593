// Which address was last seen at which port. A guest can send from as many addresses as it likes, so
// each port has a share of the table and no more: a flood of new addresses pushes out only the
// flooder's own.

/// Addresses that a bridge has learned.
struct AddressTable {
  private struct Entry {
    var port: Int
    var lastSeen: UInt64
    /// Given by the toolstack: it does not move and does not age.
    var isPinned: Bool
  }

  /// Addresses of one port.
  let limitPerPort: Int
  /// Nanoseconds after which an address that is not seen is forgotten (802.1D: 300 seconds).
  let lifetime: UInt64
  private var entries: [MACAddress: Entry] = [:]
  private var counts: [Int: Int] = [:]

  init(limitPerPort: Int = 64, lifetime: UInt64 = 300_000_000_000) {
    self.limitPerPort = limitPerPort
    self.lifetime = lifetime
  }
  var count: Int { entries.count }

  /// The port of an address, if it was seen lately.
  func port(of address: MACAddress, at now: UInt64) -> Int? {
    guard let entry = entries[address] else { return nil }
    if entry.isPinned { return entry.port }
    return now >= entry.lastSeen && now - entry.lastSeen > lifetime ? nil : entry.port
  }

  /// Notes where an address was seen; false where it is another port's for good.
  mutating func learn(_ address: MACAddress, at port: Int, now: UInt64) -> Bool {
    if let entry = entries[address] {
      if entry.isPinned { return entry.port == port }
      if entry.port == port {
        entries[address]?.lastSeen = now
        return true
      }
      remove(address)
    }
    if counts[port, default: 0] >= limitPerPort { removeOldest(of: port) }
    guard counts[port, default: 0] < limitPerPort else { return true }
    entries[address] = Entry(port: port, lastSeen: now, isPinned: false)
    counts[port, default: 0] += 1
    return true
  }

  /// Gives an address to a port for good.
  mutating func pin(_ address: MACAddress, to port: Int) {
    remove(address)
    entries[address] = Entry(port: port, lastSeen: 0, isPinned: true)
    counts[port, default: 0] += 1
  }
  private mutating func removeOldest(of port: Int) {
    var oldest: (address: MACAddress, lastSeen: UInt64)?
    for (address, entry) in entries where entry.port == port && !entry.isPinned {
      if oldest.map({ entry.lastSeen < $0.lastSeen }) ?? true {
        oldest = (address, entry.lastSeen)
      }
    }
    if let oldest { remove(oldest.address) }
  }
  private mutating func remove(_ address: MACAddress) {
    guard let entry = entries.removeValue(forKey: address) else { return }
    counts[entry.port, default: 1] -= 1
  }

  /// Forgets a port that is gone.
  mutating func removeAll(of port: Int) {
    for (address, entry) in entries where entry.port == port { entries[address] = nil }
    counts[port] = nil
  }
}
