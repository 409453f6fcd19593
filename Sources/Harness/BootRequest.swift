// What to boot and how: everything that `xenograft boot` can be told, checked for the machine later.

/// Which hypervisor runs the guest.
public enum HypervisorKind: String, Sendable, CaseIterable {
  /// The kit's own.
  case rootstock
  /// Stock Xen, with the guest as domain 0.
  case xen
}

/// How QEMU executes the machine.
public enum Acceleration: String, Sendable, CaseIterable {
  /// KVM where this machine has it, else TCG.
  case auto
  case tcg
  case kvm
}

/// What becomes of a privileged instruction of the guest.
public enum TrapPolicy: String, Sendable, CaseIterable {
  /// It is emulated and counted.
  case permissive
  /// It ends the guest.
  case strict
}

/// One boot of one guest.
public struct BootRequest: Sendable {
  /// Path of the guest's kernel.
  public var kernel: String
  /// Path of the guest's ramdisk.
  public var initrd: String?
  /// The guest's command line.
  public var commandLine = ""
  /// The guest's memory in MiB.
  public var memory = 128
  /// The guest's vcpus.
  public var vcpus = 1
  /// Regular expressions that lines of the guest's console must match, each at least once.
  public var expectations: [String] = []
  /// End as soon as every expectation is met.
  public var endsWhenExpected = false
  /// How long the guest may take.
  public var timeout: Duration = .seconds(60)
  public var hypervisor: HypervisorKind = .rootstock
  /// Path of the hypervisor's image, where it shall not be looked for.
  public var hypervisorImage: String?
  public var acceleration: Acceleration = .auto
  /// QEMU's processor model; by default the most portable one.
  public var processor: String?
  public var policy: TrapPolicy = .permissive
  /// The hypervisor keeps a record of traps and hypercalls.
  public var records = false
  /// Wait for a debugger at this port of this machine before the first instruction.
  public var debuggerPort: Int?
  /// Count instructions instead of time, so that every run is the same.
  public var countsInstructions = false

  /// A request with the defaults of `xenograft boot`.
  public init(kernel: String) {
    self.kernel = kernel
  }
}
