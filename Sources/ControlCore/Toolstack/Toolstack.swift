// What a toolstack writes into the store for a guest, with the owners and rights that xl gives, so
// that any guest finds what it would find on Xen.

/// A guest as the toolstack knows it.
public struct GuestFacts: Equatable, Sendable {
  /// Its number.
  public var domain: DomainID
  /// Its memory in KiB.
  public var memory: UInt64
  /// Its vcpus.
  public var vcpuCount: Int
  /// The frame of its page for xenstore, and its port.
  public var storeFrame: UInt64
  public var storePort: UInt32
  /// The frame of its page for the console, and its port.
  public var consoleFrame: UInt64
  public var consolePort: UInt32

  /// A guest.
  public init(
    domain: DomainID, memory: UInt64, vcpuCount: Int, storeFrame: UInt64, storePort: UInt32,
    consoleFrame: UInt64, consolePort: UInt32
  ) {
    self.domain = domain
    self.memory = memory
    self.vcpuCount = vcpuCount
    self.storeFrame = storeFrame
    self.storePort = storePort
    self.consoleFrame = consoleFrame
    self.consolePort = consolePort
  }
}

/// Enters guests and their devices into the store.
public struct Toolstack {
  private let store: LocalStore

  /// A toolstack that writes into a store.
  public init(_ store: LocalStore) { self.store = store }

  /// Writes everything about a guest but its devices.
  ///
  /// It is to be there before the guest is served: a guest reads once, at its start.
  public func enter(_ guest: GuestFacts) {
    let home = StorePath.home(of: guest.domain)
    let readable = permissions(.control, guest.domain)
    let own = StorePermissions(owner: guest.domain)
    put(home, Bytes(), readable)
    put(home.child("name"), Bytes("guest-") + digits(guest.domain), readable)
    put(home.child("domid"), digits(guest.domain), readable)
    for number in 0..<guest.vcpuCount {
      let path = home.child("cpu").child(Bytes(decimal: UInt64(number))).child("availability")
      put(path, Bytes("online"), readable)
    }
    put(home.child("memory").child("static-max"), Bytes(decimal: guest.memory), readable)
    put(home.child("memory").child("target"), Bytes(decimal: guest.memory), readable)
    put(home.child("store").child("ring-ref"), Bytes(decimal: guest.storeFrame), readable)
    put(home.child("store").child("port"), Bytes(decimal: UInt64(guest.storePort)), readable)
    let console = home.child("console")
    put(console.child("ring-ref"), Bytes(decimal: guest.consoleFrame), readable)
    put(console.child("port"), Bytes(decimal: UInt64(guest.consolePort)), readable)
    put(console.child("type"), Bytes("xenconsoled"), readable)
    put(console.child("output"), Bytes("pty"), readable)
    put(console.child("limit"), Bytes("1048576"), readable)
    put(console.child("backend-id"), Bytes("0"), permissions(guest.domain, .control))
    let control = home.child("control")
    put(control, Bytes(), readable)
    // The guest tells here what it can be asked for.
    for name: StaticString in [
      "shutdown", "feature-poweroff", "feature-reboot", "feature-suspend", "sysrq",
    ] {
      put(control.child(name), Bytes(), own)
    }
    put(control.child("platform-feature-xs_reset_watches"), Bytes("1"), readable)
    put(home.child("device"), Bytes(), readable)
    put(home.child("device").child("suspend"), Bytes(), readable)
    put(home.child("device").child("suspend").child("event-channel"), Bytes(), own)
    for name: StaticString in ["data", "drivers", "feature", "attr", "error"] {
      put(home.child(name), Bytes(), own)
    }
  }

  /// Adds a disk.
  public func add(_ plan: DiskPlan) {
    let number = Bytes(decimal: plan.number)
    add("vbd", number, to: plan.domain) { front, back in
      set(front, "virtual-device", number)
      set(front, "device-type", Bytes("disk"))
      set(front, "trusted", Bytes("1"))
      set(front, "protocol", Bytes("x86_64-abi"))
      set(back, "dev", plan.name)
      set(back, "type", Bytes("phy"))
      set(back, "params", Bytes(decimal: plan.disk))
      set(back, "mode", Bytes(plan.isReadOnly ? "r" : "w"))
      set(back, "device-type", Bytes("disk"))
      set(back, "bootable", Bytes("1"))
    }
  }

  /// Adds a network interface.
  public func add(_ plan: InterfacePlan) {
    let number = Bytes(decimal: plan.number)
    add("vif", number, to: plan.domain) { front, back in
      for directory in [front, back] {
        set(directory, "handle", number)
        set(directory, "mac", plan.address)
      }
      set(front, "trusted", Bytes("1"))
      put(front.child("mtu"), Bytes("1500"), permissions(.control, plan.domain))
      set(back, "type", Bytes("vif"))
      set(back, "bridge", Bytes("bridge0"))
    }
  }

  /// Asks the backend of a device to close and to remove itself; ``forget(_:_:of:)`` does the rest.
  public func unplug(_ type: StaticString, _ number: UInt64, of domain: DomainID) {
    let back = directories(type, Bytes(decimal: number), of: domain).back
    set(back, "online", Bytes("0"))
    set(back, "state", Bytes("5"))
  }

  /// Removes what is left of a device that was unplugged; false as long as its backend is there.
  public func forget(_ type: StaticString, _ number: UInt64, of domain: DomainID) -> Bool {
    let (front, back) = directories(type, Bytes(decimal: number), of: domain)
    guard store.read(back.child("state")) == nil else { return false }
    store.remove(back)
    store.remove(front)
    return true
  }

  /// Where the keys of both sides are.
  public func directories(
    _ type: StaticString, _ number: Bytes, of domain: DomainID
  ) -> (front: StorePath, back: StorePath) {
    (
      StorePath.home(of: domain).child("device").child(type).child(number),
      StorePath.home(of: .control).child("backend").child(type).child(digits(domain)).child(number)
    )
  }

  /// Removes a guest that is gone; backends notice that their directories are.
  public func remove(_ domain: DomainID) {
    let backends = StorePath.home(of: .control).child("backend")
    for type in store.list(backends) { store.remove(backends.child(type).child(digits(domain))) }
    store.remove(StorePath.home(of: domain))
  }

  /// Makes both directories of a device; the backend begins when its state is there, so that comes
  /// last.
  private func add(
    _ type: StaticString, _ number: Bytes, to domain: DomainID,
    _ fill: (_ front: StorePath, _ back: StorePath) -> Void
  ) {
    let (front, back) = directories(type, number, of: domain)
    // What stands below is made with the rights of what it stands below.
    put(
      StorePath.home(of: domain).child("device").child(type), Bytes(), permissions(.control, domain)
    )
    put(front, Bytes(), permissions(domain, .control))
    put(back, Bytes(), permissions(.control, domain))
    set(front, "backend", back.bytes)
    set(front, "backend-id", Bytes("0"))
    set(back, "frontend", front.bytes)
    set(back, "frontend-id", digits(domain))
    set(back, "online", Bytes("1"))
    fill(front, back)
    set(front, "state", Bytes("1"))
    set(back, "state", Bytes("1"))
  }

  private func set(_ directory: StorePath, _ name: StaticString, _ value: Bytes) {
    store.write(directory.child(name), value)
  }

  private func put(_ path: StorePath, _ value: Bytes, _ permissions: StorePermissions) {
    store.write(path, value)
    store.setPermissions(path, permissions)
  }

  private func permissions(_ owner: DomainID, _ reader: DomainID) -> StorePermissions {
    var permissions = StorePermissions(owner: owner)
    permissions.others.append(StorePermission(reader, .read))
    return permissions
  }

  private func digits(_ domain: DomainID) -> Bytes { Bytes(decimal: UInt64(domain.rawValue)) }
}
