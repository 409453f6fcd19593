// Things that an activity needs.

import Harness

/// One of them.
enum Need: Sendable, Equatable {
  /// A program.
  case tool(Tool)
  /// Swift's standard library for the bare machine, which toolchains of swift.org carry.
  case embeddedSwift
  /// What a boot loads beside the guest.
  case image(BootImage)
  /// Debian's packages for a target of the Makefile.
  case packages(Goal)

  /// The bare machine, as Swift calls it.
  static let bareTriple = "x86_64-unknown-none-elf"

  /// What people call it.
  var name: String {
    switch self {
    case .tool(let tool): tool.name
    case .embeddedSwift: "Embedded Swift for \(Self.bareTriple)"
    case .image(.rootstock): "Rootstock's image"
    case .image(.controlDomain): "the control domain's image"
    case .image(.faultyControlDomain): "the control domain with faults"
    case .image(.xen): "a Xen image"
    case .image(.xenDomainZero): "domain 0's files for Xen"
    case .packages(let goal): "packages for `\(goal.target)`"
    }
  }

  /// What to install or do where it is missing.
  var cure: Cure {
    switch self {
    case .tool(let tool): tool.package.map { .packages([$0]) } ?? .other(tool.source ?? "")
    case .embeddedSwift: .other(Tool.swift.source ?? "")
    case .image(.rootstock), .image(.controlDomain), .image(.faultyControlDomain):
      .other("`make` in a checkout of Xenograft builds it, `make install` installs it")
    case .image(.xen):
      // Installed it would change how this machine boots.
      .other(
        "Debian package: xen-hypervisor-4.17-amd64; `.ci/xen` in a checkout of Xenograft fetches it "
          + "and does not install it")
    case .image(.xenDomainZero): .other("`.ci/xen-dom0` in a checkout of Xenograft makes it")
    case .packages: .packages([])
    }
  }
}

/// What helps against a missing thing.
enum Cure: Sendable, Equatable {
  /// Debian's packages.
  case packages([String])
  /// Something else.
  case other(String)
}
