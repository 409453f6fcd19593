// The options of `xenograft boot`, grouped as its help shows them.

public import ArgumentParser
public import Harness

extension HypervisorKind: ExpressibleByArgument {}
extension Acceleration: ExpressibleByArgument {}
extension TrapPolicy: ExpressibleByArgument {}

/// What the guest gets.
struct GuestOptions: ParsableArguments {
  @Option(help: "The guest's ramdisk.", completion: .file())
  var initrd: String?

  @Option(help: "The guest's command line.")
  var cmdline = ""

  @Option(help: "The guest's memory in MiB.")
  var memory = 128

  @Option(help: "The guest's virtual processors.")
  var vcpus = 1

  func validate() throws {
    guard (4...1 << 20).contains(memory) else {
      throw ValidationError("--memory: expected 4 to \(1 << 20) MiB, found \(memory).")
    }
    guard (1...128).contains(vcpus) else {
      throw ValidationError("--vcpus: expected a number from 1 to 128, found \(vcpus).")
    }
  }

  func apply(to request: inout BootRequest) {
    request.initrd = initrd
    request.commandLine = cmdline
    request.memory = memory
    request.vcpus = vcpus
  }
}

/// When the run ends, and what is good.
struct VerdictOptions: ParsableArguments {
  @Option(
    help: "A regular expression that a line of the guest's console must match. Repeatable.")
  var expect: [String] = []

  @Flag(help: "End as soon as everything expected was seen.")
  var untilExpect = false

  @Option(help: "Seconds that the guest may take.")
  var timeout = 60.0

  func validate() throws {
    guard timeout > 0, timeout <= 1_000_000 else {
      throw ValidationError("--timeout: expected a positive number of seconds, found \(timeout).")
    }
    if untilExpect, expect.isEmpty {
      throw ValidationError("--until-expect needs at least one --expect.")
    }
    for pattern in expect where (try? Regex(pattern)) == nil {
      throw ValidationError("--expect: expected a regular expression, found \(pattern).")
    }
  }

  func apply(to request: inout BootRequest) {
    request.expectations = expect
    request.endsWhenExpected = untilExpect
    request.timeout = .milliseconds(Int64(timeout * 1000))
  }
}

/// What runs the guest.
struct MachineOptions: ParsableArguments {
  @Option(help: "rootstock, or xen: stock Xen with the guest as domain 0.")
  var hypervisor: HypervisorKind = .rootstock

  @Option(
    name: .customLong("rootstock"), help: "Rootstock's image; by default beside this command.",
    completion: .file())
  var rootstockImage: String?

  @Option(
    name: .customLong("xen"),
    help: "Xen's image, packed or not; by default $XENOGRAFT_XEN, then /boot/xen-*.gz.",
    completion: .file())
  var xenImage: String?

  @Option(help: "auto (KVM where there is one), tcg or kvm.")
  var accel: Acceleration = .auto

  @Option(help: "QEMU's processor model.")
  var cpu: String?

  @Option(help: "Rootstock: permissive emulates privileged instructions, strict ends the guest.")
  var policy: TrapPolicy = .permissive

  @Option(help: "Wait for a debugger at this port of the local machine.")
  var gdb: Int?

  @Flag(help: "Let the guest's time be its count of instructions; every run is the same.")
  var icount = false

  func validate() throws {
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
    request.acceleration = accel
    request.processor = cpu
    request.policy = policy
    request.debuggerPort = gdb
    request.countsInstructions = icount
  }
}
