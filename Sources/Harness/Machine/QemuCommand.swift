// QEMU's command line for a hypervisor with one guest.

import Foundation

/// How QEMU is called for a request.
enum QemuCommand {
  static let executable = "qemu-system-x86_64"

  /// The arguments; the folder of ``Staging`` is the working folder.
  static func arguments(for request: BootRequest) throws(HarnessError) -> [String] {
    let isAccelerated = try usesKVM(request.acceleration)
    var arguments = [
      "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
      "-machine", "pc,accel=" + (isAccelerated ? "kvm" : "tcg"),
      "-cpu", request.processor ?? (isAccelerated ? "host" : "qemu64"),
      "-m", String(machineMemory(for: request)),
      "-kernel", "hypervisor", "-append", hypervisorCommandLine(for: request),
      "-initrd", modules(for: request),
    ]
    if request.countsInstructions { arguments += ["-icount", "shift=0"] }
    if let port = request.debuggerPort {
      arguments += ["-gdb", "tcp:127.0.0.1:\(port)", "-S"]
    }
    return arguments
  }

  private static func usesKVM(_ acceleration: Acceleration) throws(HarnessError) -> Bool {
    let isThere = access("/dev/kvm", R_OK | W_OK) == 0
    switch acceleration {
    case .tcg: return false
    case .auto: return isThere && hasVirtualization
    case .kvm:
      guard isThere else {
        throw .missing(
          what: "/dev/kvm", package: "none: the processor or this machine's host must offer it")
      }
      return true
    }
  }

  /// Some machines have the device without the processor's support: what it then runs is no PC.
  private static var hasVirtualization: Bool {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
      let flags = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") })
    else { return false }
    return flags.split(separator: " ").contains { $0 == "vmx" || $0 == "svm" }
  }

  /// Room for the hypervisor beside the guest.
  private static func machineMemory(for request: BootRequest) -> Int {
    switch request.hypervisor {
    case .rootstock: request.memory + 64
    case .xen: max(512, request.memory + 256)
    }
  }

  private static func hypervisorCommandLine(for request: BootRequest) -> String {
    switch request.hypervisor {
    case .rootstock:
      return "dom0_mem=\(request.memory) policy=\(request.policy.rawValue)"
        + " -- \(request.commandLine)"
    case .xen:
      // Xen stays after the guest's end, so that its last words are whole.
      return "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all noreboot"
        + " dom0_mem=\(request.memory)M dom0_max_vcpus=\(request.vcpus)"
    }
  }

  /// Multiboot modules: a command line follows a name behind a blank, and commas are doubled.
  private static func modules(for request: BootRequest) -> String {
    var guest = "guest"
    if request.hypervisor == .xen, !request.commandLine.isEmpty {
      guest += " " + request.commandLine.replacingOccurrences(of: ",", with: ",,")
    }
    return request.initrd == nil ? guest : guest + ",initrd"
  }
}
