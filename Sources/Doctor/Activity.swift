// What one does with the kit, and what that cannot do without.

import Harness

/// A command in one of its uses, or a target of the Makefile.
struct Activity: Sendable {
  /// What one types.
  let name: String
  /// A main command: without it `doctor` ends badly.
  var isMain = false
  let needs: [Need]
  /// What it does without, at a price that `note` tells.
  var wants: [(need: Need, note: String)] = []

  private static let boot: [Need] = [.tool(.qemu), .image(.rootstock)]
  private static let xen: [Need] = [.tool(.qemu), .image(.xen)]
  private static let swift: [Need] = [.tool(.swift), .embeddedSwift]

  /// All, in the order in which one meets them.
  static let all = [
    Activity(name: "audit", isMain: true, needs: []),
    Activity(name: "abi", isMain: true, needs: []),
    Activity(name: "inspect", isMain: true, needs: []),
    Activity(name: "generate", isMain: true, needs: []),
    Activity(name: "boot", isMain: true, needs: boot),
    Activity(name: "boot --disk, --net", isMain: true, needs: boot + [.image(.controlDomain)]),
    Activity(name: "boot --fault", isMain: true, needs: boot + [.image(.faultyControlDomain)]),
    Activity(name: "boot --gdb", needs: boot + [.tool(.gdb)]),
    Activity(
      name: "validate", isMain: true,
      needs: boot + [.image(.controlDomain), .image(.faultyControlDomain)],
      wants: [
        (.image(.xen), "checks on stock Xen are skipped"),
        (.image(.xenDomainZero), "checks with devices on stock Xen are skipped"),
      ]),
    Activity(name: "effort", isMain: true, needs: [.tool(.git)]),
    Activity(name: "boot --hypervisor xen", needs: xen),
    Activity(name: "boot --hypervisor xen --disk, --net", needs: xen + [.image(.xenDomainZero)]),
    Activity(
      name: "generate and make, in C", needs: [.tool(.make), .tool(.clang), .tool(.lld)]),
    Activity(
      name: "generate and make, in Rust", needs: [.tool(.make), .tool(.rustc), .tool(.lld)]),
    Activity(
      name: "generate and make, in Swift",
      needs: [.tool(.make)] + swift + [.tool(.clang), .tool(.lld)]),
    Activity(name: "make", needs: [.tool(.make)] + swift + [.packages(.build)]),
    Activity(name: "make demo", needs: [.tool(.make)] + swift + [.packages(.demo)]),
    Activity(
      name: "make test", needs: [.tool(.make)] + swift + [.tool(.gcc), .packages(.test)],
      wants: [(.tool(.rustc), "tests of what is in Rust are skipped")]),
    Activity(name: "make bench", needs: [.tool(.make)] + swift + [.packages(.bench)]),
    Activity(name: "make iso", needs: [.tool(.make)] + swift + [.packages(.iso)]),
  ]
}
