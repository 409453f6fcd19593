// What a PORT.yaml says: the kernel, what it is given, and the checks that its port must pass.

public import ABISchema
public import Harness

/// A port to validate.
public struct Port: Sendable {
  /// The file as the user named it.
  public var file: String
  /// The folder that paths in the file begin at.
  public var folder: String
  /// What reports call it.
  public var name: String
  /// Path of the kernel's image.
  public var kernel: PortPath
  /// How the kernel is built; `nil` where it is there already.
  public var build: BuildCommand?
  /// How it is booted.
  public var machine = PortMachine()
  /// In the order of the file.
  public var checks: [Check] = []
}

/// A file that PORT.yaml names.
public struct PortPath: Sendable, Equatable {
  /// As it is written.
  public var text: String
  /// From the current folder, or absolute.
  public var path: String
  /// Where it is written.
  public var position: SourcePosition
}

/// A command that builds the kernel.
public struct BuildCommand: Sendable, Equatable {
  /// For the shell.
  public var command: String
  /// Where it is written.
  public var position: SourcePosition
  /// Seconds that it may take.
  public var timeout = 600.0
}

/// The machine and what the guest has in it.
public struct PortMachine: Sendable, Equatable {
  /// Path of the ramdisk.
  public var initrd: PortPath?
  /// The guest's command line.
  public var commandLine = ""
  /// In MiB.
  public var memory = 128
  public var vcpus = 1
  /// The machine's processors; `nil` for what the vcpus ask for.
  public var processors: Int?
  /// Seconds that a boot may take.
  public var timeout = 60.0
  public var hypervisor: HypervisorKind = .rootstock
  public var acceleration: Acceleration = .auto
  public var disks: [PortDisk] = []
  /// The guest has an interface on QEMU's user network.
  public var hasNetwork = false
}

/// A disk of the guest; each boot has a copy of its own.
public struct PortDisk: Sendable, Equatable {
  /// Where its contents come from.
  public enum Contents: Sendable, Equatable {
    /// A copy of a file.
    case file(PortPath)
    /// So many MiB of zeros.
    case zeros(Int)
  }

  /// What the guest calls it: `xvda` to `xvdz`.
  public var name: String
  public var contents: Contents
  public var isReadOnly = false
}

/// One check.
public struct Check: Sendable {
  /// What reports and `--only` call it.
  public var name: String
  /// Where it is written.
  public var position: SourcePosition
  public var body: CheckBody

  /// What kind it is.
  public var kind: CheckKind { body.kind }
}
