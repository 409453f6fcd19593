// A machine out of tables.

@testable import Doctor

/// What is on it; a full one to begin with, from which tests take things away.
struct FakeMachine: Examinable {
  var system = "Debian GNU/Linux 12 (bookworm)"
  var processors = 2
  var memory: (total: UInt64, available: UInt64)? = (8 << 30, 6 << 30)
  var commandFolder = "/opt/xenograft/bin"
  var temporaryFolder = "/tmp"
  var free: [String: UInt64] = ["/tmp": 70 << 30, ".": 900 << 20]
  /// Programs on PATH, with what they print.
  var programs: [String: String] = [
    "qemu-system-x86_64": "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\n",
    "git": "git version 2.39.5\n", "make": "GNU Make 4.3\n",
    "clang": "Debian clang version 14.0.6\n", "ld.lld": "Debian LLD 14.0.6\n",
    "gcc": "gcc (Debian 12.2.0-14+deb12u1) 12.2.0\n",
    "rustc": "rustc 1.63.0\n", "gdb": "GNU gdb (Debian 13.1-3) 13.1\n",
    "swiftc": "Swift version 6.3.1 (swift-6.3.1-RELEASE)\n",
    "dpkg-query": "", "python3": "Python 3.11.2\n",
  ]
  /// Programs that end badly.
  var failing: Set<String> = []
  /// Packages that goals need: a list of its own, so that no record changes with the kit's.
  static let list = PackageList(
    """
    libdw-dev           all
    libcapstone-dev     all
    qemu-system-x86     test bench iso
    chromium            test
    python3-jsonschema  test
    xorriso             iso
    """)
  var packages = Set(Goal.allCases.flatMap { list.names(for: $0) })
  var pipPackages: Set<String> = []
  var files: Set<String> = [
    "/opt/xenograft/bin/rootstock", "/opt/xenograft/bin/controldomain",
    "/opt/xenograft/bin/controldomain-faulty", "/boot/xen-4.17-amd64.gz",
    "/opt/xenograft/lib/xenograft/xen-dom0/vmlinuz",
    "/opt/xenograft/lib/xenograft/xen-dom0/initramfs.cpio", "/dev/kvm",
    "/swift/lib/swift/embedded/Swift.swiftmodule/x86_64-unknown-none-elf.swiftmodule",
  ]
  var writable: Set<String> = ["/dev/kvm"]
  var variables: [String: String] = [:]
  var flags = "fpu vmx sse2"

  func freeSpace(in folder: String) -> UInt64? { free[folder] }

  func path(ofProgram name: String) -> String? {
    programs[name].map { _ in "/usr/bin/\(name)" }
  }

  func output(of program: String, _ arguments: [String]) -> String? {
    let name = String(program.split(separator: "/").last ?? "")
    guard !failing.contains(name) else { return nil }
    switch (name, arguments.first) {
    case ("dpkg-query", _):
      return packages.sorted().map { "ii  \($0)\n" }.joined() + "rc  nothing\n"
    case ("python3", "-c"): return pipPackages.contains("jsonschema") ? "" : nil
    case ("rustc", "--print"): return "/rust\n"
    case ("swiftc", "-print-target-info"):
      return "{\n  \"runtimeResourcePath\": \"/swift/lib/swift\"\n}\n"
    default: return programs[name]
    }
  }

  func isReadable(_ path: String) -> Bool { files.contains(path) }
  func exists(_ path: String) -> Bool { files.contains(path) }
  func isWritable(_ path: String) -> Bool { writable.contains(path) }

  func names(in folder: String) -> [String] {
    files.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }
      .filter { !$0.contains("/") }
  }

  func text(of path: String) -> String? {
    path == "/proc/cpuinfo" ? "processor : 0\nflags : \(flags)\n" : nil
  }

  func environment(_ name: String) -> String? { variables[name] }

  /// What the doctor says of it.
  var diagnosis: Diagnosis { Examination(self, packages: Self.list).diagnosis(version: "0.0.0") }
}

extension Diagnosis {
  /// What the activity `name` lacks; `nil` where there is no such activity.
  func lacking(_ name: String) -> [Need]? {
    outcomes.first { $0.activity.name == name }?.lacking
  }
}
