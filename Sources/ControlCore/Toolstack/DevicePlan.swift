// What the command line says of guests: their devices, and which are built again.
//
//     vbd=1:xvda:0:r                   domain 1 has the machine's disk 0 as xvda, read-only (w: not)
//     vif=1:0:00:16:3e:00:00:01        domain 1 has an interface 0 with this address on the bridge
//     restart=2:5:1:3:2:128:1:256      domain 2 is built again, five times, when it ends by a reboot or a
//                                      crash: kernel, ramdisk, command line, MiB, vcpus, weight

/// A disk of a guest.
public struct DiskPlan: Equatable, Sendable {
  /// Whose it is.
  public var domain: DomainID
  /// What the guest calls it.
  public var name: Bytes
  /// Its number in the store.
  public var number: UInt64
  /// Which of the machine's disks it is.
  public var disk: UInt64
  /// The guest may not write.
  public var isReadOnly: Bool

  /// The value of an option `vbd=`; `nil` where it is malformed.
  public init?(_ text: Bytes) {
    let fields = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard fields.count == 4, let domain = DomainID(Bytes(fields[0])), domain != .control,
      let number = DiskPlan.number(of: Bytes(fields[1])), let disk = Bytes(fields[2]).decimal,
      fields[3].count == 1, let mode = fields[3].first,
      mode == UInt8(ascii: "r") || mode == UInt8(ascii: "w")
    else { return nil }
    self.domain = domain
    name = Bytes(fields[1])
    self.number = number
    self.disk = disk
    isReadOnly = mode == UInt8(ascii: "r")
  }

  /// The number of a disk by its name, from `xvda` to `xvdz`: the first 16 are numbered as
  /// Linux's devices with major number 202 were, the others in the form that has bit 28 set.
  static func number(of name: Bytes) -> UInt64? {
    guard name.count == 4, name.begins(with: Bytes("xvd")),
      name[3] >= UInt8(ascii: "a"), name[3] <= UInt8(ascii: "z")
    else { return nil }
    let index = UInt64(name[3] - UInt8(ascii: "a"))
    return index < 16 ? 202 << 8 | index << 4 : 1 << 28 | index << 8
  }
}

/// A network interface of a guest.
public struct InterfacePlan: Equatable, Sendable {
  /// Whose it is.
  public var domain: DomainID
  /// Its number in the store.
  public var number: UInt64
  /// Its address, as text.
  public var address: Bytes

  /// The value of an option `vif=`; `nil` where it is malformed.
  public init?(_ text: Bytes) {
    let fields = text.split(
      separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3, let domain = DomainID(Bytes(fields[0])), domain != .control,
      let number = Bytes(fields[1]).decimal, MACAddress(Bytes(fields[2])) != nil
    else { return nil }
    self.domain = domain
    self.number = number
    address = Bytes(fields[2])
  }
}

/// A guest that is built again when it has ended by a reboot or a crash.
public struct RestartPlan: Equatable, Sendable {
  /// Which one.
  public var domain: UInt16
  /// How often yet.
  public var times: UInt64
  /// What it is built of: boot modules with kernel, ramdisk, command line; then MiB, vcpus, weight.
  public let parts: [UInt64]

  /// The value of an option `restart=`; `nil` where it is malformed.
  public init?(_ text: Bytes) {
    let numbers = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      .compactMap { Bytes($0).decimal }
    guard numbers.count == 8, let domain = UInt16(exactly: numbers[0]), domain > 0 else {
      return nil
    }
    self.domain = domain
    times = numbers[1]
    parts = Array(numbers[2...])
  }
}
