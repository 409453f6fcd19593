// What to boot and how: everything that `xenograft boot` can be told, checked for the machine later.

/// Which hypervisor runs the guest.
public enum HypervisorKind: String, Sendable, CaseIterable {
  /// The kit's own.
  case rootstock
  /// Stock Xen, with the guest as domain 0, or with devices beside Linux as domain 0.
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

/// A guest that runs beside the one that is booted, without its privilege.
public struct GuestBeside: Sendable, Equatable {
  /// Path of its kernel.
  public var kernel: String
  /// Path of its ramdisk.
  public var initrd: String?
  /// Its memory in MiB.
  public var memory = 32
  /// Its vcpus.
  public var vcpus = 1
  /// Its share of the processors against others'; the hypervisor's default without it.
  public var weight: Int?
  /// How many of it run.
  public var count = 1
  /// How often it is started again when it ends by a reboot or a crash.
  public var restarts = 0
  /// It has an interface of its own on the network of the guest that is booted.
  public var isOnNetwork = false

  /// One guest with the defaults of `--beside`.
  public init(kernel: String) {
    self.kernel = kernel
  }
}

/// A file that the guest has as a disk.
public struct GuestDisk: Sendable, Equatable {
  /// Its path.
  public var path: String
  /// What the guest calls it: `xvda` to `xvdz`; the next free name without it.
  public var name: String?
  /// The guest cannot write.
  public var isReadOnly = false
  /// Whose it is alone, by the domain's number; the guest's and its copies' without it.
  public var domain: Int?

  /// A disk that the guest may write to.
  public init(path: String) {
    self.path = path
  }
}

/// A port of this machine that leads to one of the guest's.
public struct PortForward: Sendable, Equatable {
  /// The port of this machine, at its loopback address.
  public var host: Int
  /// The port of the guest.
  public var guest: Int

  /// A forward of both TCP and UDP.
  public init(host: Int, guest: Int) {
    self.host = host
    self.guest = guest
  }
}

/// A network of the guest: QEMU's user network, where the guest is 10.0.2.15.
public struct GuestNetwork: Sendable, Equatable {
  /// Ports of this machine that lead to the guest.
  public var forwards: [PortForward] = []

  /// A network without a way in.
  public init() {}
}

/// One boot of a guest, and of what runs beside it.
public struct BootRequest: Sendable {
  /// Path of the guest's kernel, or of a file with a saved guest.
  public var kernel: String
  /// Path of the guest's ramdisk.
  public var initrd: String?
  /// The guest's command line.
  public var commandLine = ""
  /// The guest's memory in MiB.
  public var memory = 128
  /// The guest's vcpus.
  public var vcpus = 1
  /// How many copies of the guest run; without devices the first is domain 0.
  public var copies = 1
  /// The guest's share of the processors against others'; the hypervisor's default without it.
  public var weight: Int?
  /// The guest's disks; with any device the control domain is domain 0, or on stock Xen Linux with a
  /// toolstack, and the guest is domain 1.
  public var disks: [GuestDisk] = []
  /// The guest's network; `nil` for none.
  public var network: GuestNetwork?
  /// Path of the control domain's image, or on stock Xen of the folder with domain 0's files, where it
  /// shall not be looked for.
  public var controlDomainImage: String?
  /// Faults of the control domain, as its command line names them: `block:wrong-id`.
  public var faults: [String] = []
  /// Guests beside it.
  public var beside: [GuestBeside] = []
  /// The run goes on until guests beside have ended as well; where there are copies it always does.
  public var waitsForAll = false
  /// The machine's processors; by default two where there are two vcpus.
  public var processors: Int?
  /// Regular expressions that lines of the guest's console must match, each at least once.
  public var expectations: [String] = []
  /// End as soon as every expectation is met.
  public var endsWhenExpected = false
  /// How long the guest may take, with the start of the machine, but without that of stock Xen's domain 0;
  /// `nil` for as long as it likes.
  public var timeout: Duration? = .seconds(60)
  /// What is typed on the guest's console; `nil` for nothing ever.
  public var input: GuestInput?
  public var hypervisor: HypervisorKind = .rootstock
  /// Path of the hypervisor's image, where it shall not be looked for.
  public var hypervisorImage: String?
  public var acceleration: Acceleration = .auto
  /// QEMU's processor model; by default the most portable one.
  public var processor: String?
  public var policy: TrapPolicy = .permissive
  /// Hand on what happens as events, too.
  public var wantsEvents = false
  /// Addresses of the guest's code of which is noted whether the guest comes by; needs TCG.
  public var watched: [UInt64] = []
  /// Let Rootstock tell what every vcpu does shortly before the time is over.
  public var tellsWhereabouts = false
  /// Let Rootstock see in which order the guest uses what it shares.
  public var watchesOrder = false
  /// Wait for a debugger at this port of this machine before the first instruction.
  public var debuggerPort: Int?
  /// Count instructions instead of time, so that every run is the same.
  public var countsInstructions = false

  /// The guest is saved under way.
  public var save: SaveRequest?

  /// The guest has devices, which a domain 0 must serve, or needs one that saves and restores it.
  var needsControlDomain: Bool {
    !disks.isEmpty || network != nil || !faults.isEmpty || save != nil
      || SavedDomainFile.isSaved(kernel)
  }

  /// A request with the defaults of `xenograft boot`.
  public init(kernel: String) {
    self.kernel = kernel
  }
}
