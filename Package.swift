// swift-tools-version: 6.2
// Xenograft: a porting kit for kernels that move from ring 0 to a Xen PV guest.
// CONTRIBUTING.md has the picture of the modules and says which may import which.

import PackageDescription

/// Settings of every Swift target: imports stay internal unless said otherwise, existentials are spelled out.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "xenograft",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "xenograft", targets: ["xenograft"]),
    // For the fuzz targets, which are a package of their own (Fuzz/).
    .library(name: "KernelImage", targets: ["KernelImage"]),
    .library(name: "Disassembly", targets: ["Disassembly"]),
    .library(name: "Audit", targets: ["Audit"]),
    .library(name: "Effort", targets: ["Effort"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/stencilproject/Stencil", from: "0.15.1"),
  ],
  targets: [
    // C libraries of the system. Each has one importer.
    .systemLibrary(name: "CElfutils", pkgConfig: "libdw", providers: [.apt(["libdw-dev"])]),
    .systemLibrary(
      name: "CCapstone", pkgConfig: "capstone", providers: [.apt(["libcapstone-dev"])]),
    .systemLibrary(
      name: "CCompression",
      providers: [
        .apt(["zlib1g-dev", "liblzma-dev", "libzstd-dev", "liblz4-dev", "libbz2-dev"])
      ]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    // Reading images.
    .target(
      name: "KernelImage", dependencies: ["CElfutils", "CCompression", "CCrypto"],
      swiftSettings: strict),
    .target(name: "Disassembly", dependencies: ["CCapstone"], swiftSettings: strict),

    // The audit: rules, scan, context; and its renderings.
    .target(
      name: "Audit",
      dependencies: [
        "KernelImage", "Disassembly", .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    .target(
      name: "AuditReport", dependencies: ["Audit"],
      resources: [
        .embedInCode("HTML/page.html"), .embedInCode("HTML/page.css"),
        .embedInCode("HTML/page.js"),
      ],
      swiftSettings: strict),

    // The ABI for freestanding code: a generated C header, and the typed Swift view of it.
    .target(name: "CXenABI"),
    .target(name: "XenABI", dependencies: ["CXenABI"], swiftSettings: strict),
    // What Rootstock adds to it, for domain 0.
    .target(name: "CRootstock"),

    // The ABI as data: reading and checking abi/, and everything generated from it.
    .target(
      name: "ABISchema", dependencies: [.product(name: "Yams", package: "Yams")],
      swiftSettings: strict),
    .target(name: "ABIGenerator", dependencies: ["ABISchema"], swiftSettings: strict),
    .target(
      name: "ABIVerifier", dependencies: ["ABISchema", "ABIGenerator", "KernelImage"],
      swiftSettings: strict),

    // Rootstock's logic, for the bare machine and for the host. HypervisorCore never imports a
    // machine: the hardware is a generic parameter.
    .target(name: "X86", swiftSettings: strict),
    .target(
      name: "HypervisorCore", dependencies: ["CRootstock", "CXenABI", "X86", "XenABI"],
      swiftSettings: strict),

    // A machine of arrays, the recount of every invariant and the hostile guest; the fuzzer runs
    // them at length.
    .target(
      name: "HypervisorCoreTesting", dependencies: ["CXenABI", "HypervisorCore", "X86", "XenABI"],
      path: "Tests/HypervisorCoreTesting", swiftSettings: strict),
    .executableTarget(
      name: "hypervisor-fuzz", dependencies: ["HypervisorCoreTesting"],
      path: "Sources/HypervisorFuzz", swiftSettings: strict),

    // What domain 0 does, without its machine: the store, the backends, the bridge. ControlCoreTesting
    // has the guests that its tests and its fuzzer put against it.
    .target(name: "ControlCore", dependencies: ["CXenABI", "XenABI"], swiftSettings: strict),
    .target(
      name: "ControlCoreTesting", dependencies: ["CXenABI", "ControlCore", "XenABI"],
      path: "Tests/ControlCoreTesting", swiftSettings: strict),

    // Faults that a control domain for tests of guests has between its services and them.
    .target(
      name: "ControlFaults", dependencies: ["CXenABI", "ControlCore", "XenABI"],
      swiftSettings: strict),

    .executableTarget(
      name: "control-fuzz", dependencies: ["ControlCoreTesting"], path: "Sources/ControlFuzz",
      swiftSettings: strict),

    // The guest's half of split drivers in Swift, as Sources/Frontends is in C.
    .target(name: "FrontendsSwift", dependencies: ["CXenABI", "XenABI"], swiftSettings: strict),

    // How loaders see a kernel: its boot protocols and notes, judged.
    .target(
      name: "ImageInspection", dependencies: ["ABIGenerator", "ABISchema", "KernelImage"],
      swiftSettings: strict),

    // Boots guests in QEMU and judges what they do.
    .target(
      name: "Harness",
      dependencies: [
        "ABISchema", "CRootstock", "CXenABI", "KernelImage", "X86", "XenABI",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      swiftSettings: strict),

    // What a port cost in lines, by git's diffs.
    .target(
      name: "Effort",
      dependencies: [
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),

    // What a machine has and lacks; .ci/setup reads packages.txt as well.
    .target(
      name: "Doctor", dependencies: ["Harness"], resources: [.embedInCode("packages.txt")],
      swiftSettings: strict),

    // Whether a port holds what its PORT.yaml says.
    .target(
      name: "Validation",
      dependencies: [
        "ABISchema", "ABIVerifier", "Audit", "AuditReport", "ControlFaults", "Disassembly",
        "Harness", "ImageInspection", "KernelImage",
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [.embedInCode("Schema/port.schema.json")],
      swiftSettings: strict),

    // Kernels and drivers out of templates/ and Sources/Frontends/.
    .target(
      name: "Scaffold",
      dependencies: [
        "ABIGenerator", "ABISchema", .product(name: "Stencil", package: "Stencil"),
      ],
      swiftSettings: strict),

    .executableTarget(
      name: "xenograft",
      dependencies: [
        "ABIGenerator", "ABISchema", "ABIVerifier", "Audit", "AuditReport", "ControlFaults",
        "Disassembly", "Doctor", "Effort", "Harness", "ImageInspection", "KernelImage", "Scaffold",
        "Validation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // Measures the scan stage; .ci/bench runs it.
    .executableTarget(
      name: "scan-bench", dependencies: ["Audit", "Disassembly", "KernelImage"],
      path: "Sources/ScanBench", swiftSettings: strict),

    .testTarget(name: "ABISchemaTests", dependencies: ["ABISchema"], swiftSettings: strict),
    .testTarget(
      name: "XenABITests", dependencies: ["XenABI", "CXenABI"], swiftSettings: strict),
    .testTarget(
      name: "ABIGeneratorTests",
      dependencies: ["ABIGenerator", "ABISchema", "ABIVerifier", "KernelImage"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "ABIHeaderTests",
      dependencies: ["ABISchema", .product(name: "Yams", package: "Yams")],
      exclude: ["not-covered.yaml"], swiftSettings: strict),
    .testTarget(
      name: "KernelImageTests", dependencies: ["KernelImage"], swiftSettings: strict),
    .testTarget(
      name: "DisassemblyTests", dependencies: ["Disassembly"], swiftSettings: strict),
    .testTarget(
      name: "HypervisorCoreTests",
      dependencies: [
        "CRootstock", "CXenABI", "Harness", "HypervisorCore", "HypervisorCoreTesting", "X86",
        "XenABI",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ControlCoreTests",
      dependencies: ["CXenABI", "ControlCore", "ControlCoreTesting", "ControlFaults", "XenABI"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "AuditTests", dependencies: ["Audit", "KernelImage", "Disassembly"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "ImageInspectionTests",
      dependencies: ["ImageInspection", "ABIGenerator", "ABISchema", "KernelImage"],
      exclude: ["Guest", "Snapshots", "xen-verdicts.tsv"], swiftSettings: strict),
    .testTarget(
      name: "HarnessTests", dependencies: ["Harness", "HypervisorCore"], swiftSettings: strict),
    .testTarget(
      name: "ScaffoldTests", dependencies: ["Scaffold", "ABIGenerator", "ABISchema", "Harness"],
      swiftSettings: strict),
    .testTarget(
      name: "DoctorTests", dependencies: ["Doctor", "Harness"], exclude: ["Snapshots"],
      swiftSettings: strict),
    .testTarget(name: "CommandTests", dependencies: ["xenograft"], swiftSettings: strict),
    .testTarget(
      name: "ValidationTests",
      dependencies: ["Validation", "ABISchema", "Harness", "KernelImage"],
      exclude: ["Snapshots"], swiftSettings: strict),
    .testTarget(
      name: "EffortTests", dependencies: ["Effort"], exclude: ["Snapshots"],
      swiftSettings: strict),
    .testTarget(
      name: "AuditReportTests", dependencies: ["AuditReport", "Audit"], exclude: ["Snapshots"],
      swiftSettings: strict),
  ]
)

// `.ci/rootstock` sets XENOGRAFT_METAL: the bare-metal targets and no other, because a host build
// would compile their assembly and link their entry points as well.
if Context.environment["XENOGRAFT_METAL"] == "1" {
  package.dependencies = []
  package.products = [
    .executable(name: "rootstock", targets: ["Rootstock"]),
    .executable(name: "controldomain", targets: ["ControlImage"]),
    .executable(name: "controldomain-faulty", targets: ["ControlImageFaulty"]),
  ]
  /// Each image is linked by a script of its own.
  func linkScript(of target: String) -> [LinkerSetting] {
    let script = "\(Context.packageDirectory)/Sources/\(target)/link.ld"
    return [.unsafeFlags(["-Xlinker", "-T", "-Xlinker", script])]
  }
  package.targets = [
    .target(name: "CXenABI"),
    .target(name: "XenABI", dependencies: ["CXenABI"], swiftSettings: strict),
    .target(name: "X86", swiftSettings: strict),
    .target(
      name: "HypervisorCore", dependencies: ["CRootstock", "CXenABI", "X86", "XenABI"],
      swiftSettings: strict),
    .target(name: "CFreestanding"),
    .target(name: "CRootstock"),
    .target(name: "CMachine"),
    .executableTarget(
      name: "Rootstock",
      dependencies: [
        "CFreestanding", "CMachine", "CRootstock", "CXenABI", "HypervisorCore", "X86", "XenABI",
      ],
      exclude: ["link.ld", "toolset.json"], swiftSettings: strict,
      linkerSettings: linkScript(of: "Rootstock")),
    // What a Swift guest needs, and domain 0, which is one.
    .target(name: "CGuest", dependencies: ["CRootstock", "CXenABI"]),
    .target(
      name: "GuestRuntime", dependencies: ["CGuest", "CRootstock", "CXenABI", "XenABI"],
      swiftSettings: strict),
    .target(name: "ControlCore", dependencies: ["CXenABI", "XenABI"], swiftSettings: strict),
    .target(
      name: "ControlDomain",
      dependencies: ["CGuest", "ControlCore", "CXenABI", "GuestRuntime", "XenABI"],
      exclude: ["link.ld"], swiftSettings: strict),
    // Its image, and the one for tests of guests, which has faults.
    .executableTarget(
      name: "ControlImage", dependencies: ["CFreestanding", "ControlDomain"],
      swiftSettings: strict, linkerSettings: linkScript(of: "ControlDomain")),
    .target(
      name: "ControlFaults", dependencies: ["ControlCore", "CXenABI", "XenABI"],
      swiftSettings: strict),
    .executableTarget(
      name: "ControlImageFaulty",
      dependencies: [
        "CFreestanding", "CRootstock", "ControlCore", "ControlDomain", "ControlFaults",
        "GuestRuntime",
      ],
      swiftSettings: strict, linkerSettings: linkScript(of: "ControlDomain")),
  ]
}
