// The guest's disks and networks: what domain 0 is told of them, and what QEMU is.

/// The devices of a run.
struct DevicePlan: Equatable, Sendable {
  /// A disk and its name in the guest.
  struct Disk: Equatable, Sendable {
    var path: String
    var name: String
    var isReadOnly: Bool
    /// Whose it is alone.
    var domain: Int?
  }

  let disks: [Disk]
  let network: GuestNetwork?
  /// The guest and its copies.
  private let guests: Range<Int>
  /// Guests beside them that are on the network.
  private let neighbours: [Int]
  private let beside: Range<Int>
  private let faults: [String]

  /// - Throws: ``HarnessError/input(path:expected:found:)`` where names or rights do not go together.
  init(_ request: BootRequest) throws(HarnessError) {
    guests = 1..<request.copies + 1
    beside =
      guests.upperBound..<guests.upperBound + request.beside.map(\.count).reduce(0, +)
    faults = request.faults
    network = request.network
    var neighbours: [Int] = []
    var next = guests.upperBound
    for beside in request.beside {
      if beside.isOnNetwork { neighbours += next..<next + beside.count }
      next += beside.count
    }
    self.neighbours = neighbours
    var names = Set(request.disks.compactMap(\.name))
    var disks: [Disk] = []
    guard names.count == request.disks.count(where: { $0.name != nil }) else {
      throw .input(path: "--disk", expected: "a name for each disk", found: "one for two disks")
    }
    for disk in request.disks {
      guard let name = disk.name ?? Self.names.first(where: { !names.contains($0) }) else {
        throw .input(
          path: "--disk", expected: "at most \(Self.names.count) disks",
          found: "\(request.disks.count)")
      }
      guard Self.names.contains(name) else {
        throw .input(
          path: "--disk \(disk.path)", expected: "a name from xvda to xvdz", found: name)
      }
      // What several write at once is nobody's.
      guard disk.isReadOnly || request.copies == 1 || disk.domain != nil else {
        throw .input(
          path: "--disk \(disk.path)", expected: "`,ro` where several copies of the guest run",
          found: "a disk to write to")
      }
      if let domain = disk.domain, !(1..<beside.upperBound).contains(domain) {
        throw .input(
          path: "--disk \(disk.path)", expected: "a domain from 1 to \(beside.upperBound - 1)",
          found: "\(domain)")
      }
      names.insert(name)
      disks.append(
        Disk(path: disk.path, name: name, isReadOnly: disk.isReadOnly, domain: disk.domain))
    }
    self.disks = disks
  }

  private static let names = (UInt8(ascii: "a")...UInt8(ascii: "z")).map {
    "xvd" + String(UnicodeScalar($0))
  }

  /// The control domain's options.
  var options: String {
    var words: [String] = []
    for guest in guests.lowerBound..<beside.upperBound {
      let isBeside = beside.contains(guest)
      for (number, disk) in disks.enumerated()
      where (disk.domain ?? (isBeside ? 0 : guest)) == guest {
        words.append("vbd=\(guest):\(disk.name):\(number):\(disk.isReadOnly ? "r" : "w")")
      }
    }
    if network != nil {
      for guest in Array(guests) + neighbours {
        words.append("vif=\(guest):0:\(Self.address(of: guest))")
      }
    }
    words += faults.map { "fault=" + $0 }
    return words.joined(separator: " ")
  }

  /// An address out of Xen's range, the guest's number in its last bytes.
  static func address(of guest: Int) -> String {
    let bytes = [guest >> 8 & 0xff, guest & 0xff].map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }
    return "00:16:3e:00:" + bytes.joined(separator: ":")
  }

  /// What a disk is called in the folder of ``Staging``, and by its serial number.
  static func fileName(ofDisk number: Int) -> String { "disk\(number)" }

  /// QEMU's options; the control domain finds the devices in this order.
  var emulatorArguments: [String] {
    var arguments: [String] = []
    for (number, disk) in disks.enumerated() {
      arguments += [
        "-drive",
        "if=none,id=disk\(number),file=\(Self.fileName(ofDisk: number)),format=raw,"
          + (disk.isReadOnly ? "read-only=on" : "discard=unmap"),
        "-device", "virtio-blk-pci,drive=disk\(number),serial=\(Self.fileName(ofDisk: number))",
      ]
    }
    if let network {
      let ports = network.forwards.flatMap { forward in
        ["tcp", "udp"].map { ",hostfwd=\($0):127.0.0.1:\(forward.host)-:\(forward.guest)" }
      }
      arguments += [
        "-netdev", "user,id=net0" + ports.joined(),
        // Nobody boots from it: no option ROM.
        "-device", "virtio-net-pci,netdev=net0,mac=52:54:00:00:00:01,romfile=",
      ]
    }
    return arguments
  }
}
