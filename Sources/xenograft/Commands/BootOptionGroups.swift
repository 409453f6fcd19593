// The options of `xenograft boot`, grouped as its help shows them.

public import ArgumentParser
import ControlFaults
public import Harness

extension HypervisorKind: ExpressibleByArgument {}
extension Acceleration: ExpressibleByArgument {}
extension TrapPolicy: ExpressibleByArgument {}

/// What the guest gets.
struct GuestOptions: ParsableArguments {
  @Option(help: .value("file", "The guest's ramdisk."), completion: .file())
  var initrd: String?

  @Option(help: .value("text", "The guest's command line."))
  var cmdline = ""

  @Option(help: .value("MiB", "The guest's memory in MiB."))
  var memory = 128

  @Option(help: .value("number", "The guest's virtual processors."))
  var vcpus = 1

  @Option(
    help: .value("number", "Rootstock: the guest's share of the processors against others' (256)."))
  var weight: Int?

  @Option(
    help: .value(
      "number",
      """
      Rootstock: run so many copies of the guest, of which the first is domain 0. All must power off; the console's lines \
      of the others begin with (d1), (d2) and so on.
      """))
  var domains = 1

  @Option(
    help: ArgumentHelp(
      """
      Rootstock: run another guest beside, without privilege. Repeatable. Options behind the kernel: memory=MiB (32), \
      vcpus=N, weight=N, count=N, initrd=FILE, net for an interface on the guest's network, and, where the guest has \
      devices, restart=N to start it again so often when it ends by a reboot or a crash; separated by commas. Its end is \
      told, and judges nothing.
      """, valueName: "kernel[,option…]"),
    completion: .file())
  var beside: [GuestBeside] = []

  @Option(
    help: ArgumentHelp(
      """
      Give the guest this file as a disk, by way of the control domain, or on Xen of Linux, which then is domain 0. \
      Repeatable. Options behind the path: ro, name=xvda, domain=N (that domain's alone), separated by commas.
      """, valueName: "file[,option…]"),
    completion: .file())
  var disk: [GuestDisk] = []

  @Option(
    help: ArgumentHelp(
      """
      user gives the guest an interface on QEMU's user network, by way of domain 0 as with --disk; none does not. With \
      forward=HOST:GUEST behind a comma, repeatable, a port of this machine leads to one of the guest (10.0.2.15), TCP \
      and UDP.
      """, valueName: "user[,forward=HOST:GUEST]|none"))
  var net = NetworkOption.none

  @Option(
    help: ArgumentHelp(
      """
      Rootstock: let the control domain misbehave towards its guests, or towards one alone. Repeatable. Names are those \
      of --list-faults; every=N and count=N say at which responses and how often.
      """, valueName: "[domain:]target:name[:every=N][:count=N]"))
  var fault: [String] = []

  @Flag(help: "List the faults, with what a sound guest makes of each, and boot nothing.")
  var listFaults = false

  @Flag(help: "Go on until guests beside have ended, too, and not only to the guest's end.")
  var wait = false

  static let memories = 4...1 << 20
  static let processorCounts = 1...128
  static let weights = 1...65535
  static let domainCounts = 1...512

  func validate() throws {
    guard Self.memories.contains(memory) else {
      throw ValidationError("--memory: expected 4 to \(1 << 20) MiB, found \(memory).")
    }
    guard Self.processorCounts.contains(vcpus) else {
      throw ValidationError("--vcpus: expected a number from 1 to 128, found \(vcpus).")
    }
    if let weight, !Self.weights.contains(weight) {
      throw ValidationError("--weight: expected a number from 1 to 65535, found \(weight).")
    }
    guard Self.domainCounts.contains(domains) else {
      throw ValidationError("--domains: expected a number from 1 to 512, found \(domains).")
    }
    for text in fault where FaultPlan(Array(text.utf8)) == nil {
      throw ValidationError(
        "--fault: expected [DOMAIN:]NAME[:every=N][:count=N] with a name of --list-faults, found \(text)."
      )
    }
    if let fault = beside.compactMap(\.fault).first { throw ValidationError(fault) }
    if let guest = beside.first(where: { $0.restarts > 0 }), net.network == nil, disk.isEmpty {
      throw ValidationError(
        "--beside \(guest.kernel),restart=\(guest.restarts): expected --disk or --net user, found neither."
      )
    }
    if let guest = beside.first(where: \.isOnNetwork), net.network == nil {
      throw ValidationError("--beside \(guest.kernel),net: expected --net user, found none.")
    }
  }

  /// The first option that stock Xen cannot carry out; `nil` without one.
  var needingRootstock: String? {
    if domains > 1 { return "--domains \(domains)" }
    if !beside.isEmpty { return "--beside" }
    if !fault.isEmpty { return "--fault" }
    return weight == nil ? nil : "--weight"
  }

  func apply(to request: inout BootRequest) {
    request.initrd = initrd
    request.commandLine = cmdline
    request.memory = memory
    request.vcpus = vcpus
    request.weight = weight
    request.copies = domains
    request.beside = beside
    request.waitsForAll = wait
    request.disks = disk
    request.network = net.network
    request.faults = fault
  }
}

/// When the run ends, and what is good.
struct VerdictOptions: ParsableArguments {
  @Option(
    help: .value(
      "regex", "A regular expression that a line of the guest's console must match. Repeatable."))
  var expect: [String] = []

  @Flag(help: "End as soon as everything expected was seen.")
  var untilExpect = false

  @Option(
    help: .value(
      "seconds",
      """
      How long the guest may take; on Xen, once Linux as domain 0 is ready. (default: 60; without end with \
      --interactive)
      """))
  var timeout: Double?

  /// What --timeout is where nobody types.
  static let usualTimeout = 60.0

  func validate() throws {
    if let timeout, !(timeout > 0 && timeout <= 1_000_000) {
      throw ValidationError("--timeout: expected a positive number of seconds, found \(timeout).")
    }
    if untilExpect, expect.isEmpty {
      throw ValidationError("--until-expect: expected --expect with it, found none.")
    }
    for pattern in expect where (try? Regex(pattern)) == nil {
      throw ValidationError("--expect: expected a regular expression, found \(pattern).")
    }
  }

  func apply(to request: inout BootRequest) {
    request.expectations = expect
    request.endsWhenExpected = untilExpect
    let seconds = timeout ?? (request.input == nil ? Self.usualTimeout : nil)
    request.timeout = seconds.map { .milliseconds(Int64($0 * 1000)) }
  }
}

/// What runs the guest.
struct MachineOptions: ParsableArguments {
  @Option(
    help: "Rootstock, or stock Xen with the guest as domain 0, with devices beside Linux.")
  var hypervisor: HypervisorKind = .rootstock

  @Option(
    name: .customLong("rootstock"),
    help: .value("file", "Rootstock's image; by default beside this command."),
    completion: .file())
  var rootstockImage: String?

  @Option(
    name: .customLong("control-domain"),
    help: .value(
      "file",
      """
      The control domain's image; by default beside this command. On Xen the folder with domain 0's files; by default \
      $XENOGRAFT_XEN_DOMAIN0, then where .ci/xen-dom0 makes it.
      """), completion: .file())
  var controlDomainImage: String?

  @Option(
    name: .customLong("xen"),
    help: .value(
      "file", "Xen's image, packed or not; by default $XENOGRAFT_XEN, then /boot/xen-*.gz."),
    completion: .file())
  var xenImage: String?

  @Option(help: "How QEMU runs it; auto takes KVM where the machine has it.")
  var accel: Acceleration = .auto

  @Option(help: .value("model", "QEMU's processor model."))
  var cpu: String?

  @Option(
    help: .value(
      "number", "The machine's processors; by default 2, or 1 where there is one vcpu in all."))
  var cpus: Int?

  @Option(help: "Rootstock: permissive emulates privileged instructions, strict ends the guest.")
  var policy: TrapPolicy = .permissive

  @Option(help: .value("port", "Wait for a debugger at this port of the local machine."))
  var gdb: Int?

  @Flag(help: "Let the guest's time be its count of instructions; every run is the same.")
  var icount = false

  func validate() throws {
    if let cpus, !(1...64).contains(cpus) {
      throw ValidationError("--cpus: expected a number from 1 to 64, found \(cpus).")
    }
    if let gdb, !(1...65535).contains(gdb) {
      throw ValidationError("--gdb: expected a port from 1 to 65535, found \(gdb).")
    }
  }

  func apply(to request: inout BootRequest) {
    request.hypervisor = hypervisor
    request.hypervisorImage =
      switch hypervisor {
      case .rootstock: rootstockImage
      case .xen: xenImage
      }
    request.controlDomainImage = controlDomainImage
    request.acceleration = accel
    request.processor = cpu
    request.processors = cpus
    request.policy = policy
    request.debuggerPort = gdb
    request.countsInstructions = icount
  }
}
