// QEMU's command line for a hypervisor with its guests.

import Foundation

/// How QEMU is called for a request.
enum QemuCommand {
  static let executable = "qemu-system-x86_64"

  /// What Rootstock reads of its command line, one byte for the end.
  private static let longestCommandLine = 1023

  /// The arguments; the folder of ``Staging`` is the working folder.
  static func arguments(
    for request: BootRequest, _ plan: GuestPlan
  ) throws(HarnessError) -> [String] {
    let isAccelerated = try usesKVM(request.acceleration)
    var arguments = [
      "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
      "-machine", request.save == nil ? "pc" : "pc,memory-backend=memory",
      "-accel", isAccelerated ? "kvm" : emulation(of: request),
      "-cpu", request.processor ?? (isAccelerated ? "host" : "qemu64"),
      "-smp", String(request.processors ?? min(2, plan.vcpus)),
      "-m", String(machineMemory(for: request, plan)),
      "-kernel", "hypervisor", "-append", try hypervisorCommandLine(for: request, plan),
      "-initrd", modules(for: request, plan),
    ]
    if request.save != nil {
      let size = machineMemory(for: request, plan)
      guard size <= MachineMemory.mostMemory else {
        throw .input(
          path: "--memory", expected: "at most \(MachineMemory.mostMemory) MiB in all to be saved",
          found: "\(size)")
      }
      arguments += [
        "-object",
        "memory-backend-file,id=memory,size=\(size)M,mem-path=\(MachineMemory.fileName),share=on",
      ]
    }
    if plan.hasControlDomain {
      arguments += try DevicePlan(request).emulatorArguments
      if request.hypervisor == .xen { arguments += ["-serial", "file:" + SecondLine.name] }
    }
    if request.countsInstructions { arguments += ["-icount", "shift=0"] }
    if try watches(request) { arguments += TranslationLog.emulatorArguments(request.watched) }
    if let port = request.debuggerPort {
      arguments += ["-gdb", "tcp:127.0.0.1:\(port)", "-S"]
    }
    return arguments
  }

  /// With a thread for each processor QEMU 7.2's locked instructions meet no breakpoint.
  private static func emulation(of request: BootRequest) -> String {
    request.watchesOrder ? "tcg,thread=single" : "tcg"
  }

  /// Instructions of the guest are watched: with KVM QEMU does not see them.
  static func watches(_ request: BootRequest) throws(HarnessError) -> Bool {
    guard !request.watched.isEmpty else { return false }
    return try !usesKVM(request.acceleration)
  }

  private static func usesKVM(_ acceleration: Acceleration) throws(HarnessError) -> Bool {
    let found = HardwareAcceleration.current
    switch acceleration {
    case .tcg: return false
    case .auto: return found == .usable
    case .kvm:
      switch found {
      // Asked for, it is tried on a processor that does not say what it can.
      case .usable, .noProcessorSupport: return true
      case .noDevice, .noPermission:
        throw .missing(
          what: "\(HardwareAcceleration.device) for --accel kvm",
          remedy: .step(
            found == .noDevice
              ? "the processor, or this machine's host, must offer it"
              : "it is there, and this user may not read and write it: join the group kvm"))
      }
    }
  }

  /// In MiB: the guests', room for the hypervisor with its tables over all frames, and the files.
  private static func machineMemory(for request: BootRequest, _ plan: GuestPlan) -> Int {
    switch request.hypervisor {
    case .rootstock: plan.memory + plan.memory / 64 + 64 + Int(plan.size >> 20)
    case .xen: max(512, plan.memory + plan.memory / 64 + 256)
    }
  }

  private static func hypervisorCommandLine(
    for request: BootRequest, _ plan: GuestPlan
  ) throws(HarnessError) -> String {
    switch request.hypervisor {
    case .rootstock:
      let report =
        (request.watchesOrder ? "watch=order " : "")
        + (whereaboutsTime(for: request).map { "where=\($0) " } ?? "")
      let line =
        report + "dom0_mem=\(request.memory) policy=\(request.policy.rawValue) \(plan.options)"
        + " -- \(plan.hasControlDomain ? plan.controlOptions : request.commandLine)"
      guard line.utf8.count <= longestCommandLine else {
        throw .input(
          path: "--cmdline",
          expected: "at most \(longestCommandLine) bytes with the options of the domains",
          found: "\(line.utf8.count)")
      }
      return line
    case .xen:
      // Xen stays after the guest's end, so that its last words are whole.
      return "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all noreboot"
        + " dom0_mem=\(plan.kinds[0].memory)M dom0_max_vcpus=\(plan.kinds[0].vcpus)"
    }
  }

  /// When Rootstock tells what every vcpu does, in milliseconds of its own time, which begins later.
  private static func whereaboutsTime(for request: BootRequest) -> Int64? {
    guard request.tellsWhereabouts, request.debuggerPort == nil, !request.countsInstructions,
      let timeout = request.timeout
    else { return nil }
    let milliseconds = Int64(timeout / .milliseconds(1))
    return max(milliseconds - 3000, milliseconds / 2)
  }

  /// Linux's on stock Xen: few words, no addresses by itself, and nothing that takes time to no end.
  private static let domainZeroCommandLine = "console=hvc0 quiet ipv6.disable=1"

  /// What the boot loader hands over: for Rootstock, which QEMU starts by PVH, one file.
  ///
  /// Xen takes several, named as for multiboot: a command line follows a name behind a blank, and
  /// commas are doubled.
  private static func modules(for request: BootRequest, _ plan: GuestPlan) -> String {
    if request.hypervisor == .rootstock { return plan.modules.count > 1 ? "modules" : "guest" }
    if plan.hasControlDomain { return "module0 " + domainZeroCommandLine + ",ramdisk0" }
    var guest = "guest"
    if !request.commandLine.isEmpty {
      guest += " " + request.commandLine.replacingOccurrences(of: ",", with: ",,")
    }
    return request.initrd == nil ? guest : guest + ",initrd"
  }
}
