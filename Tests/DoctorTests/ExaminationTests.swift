// What can be done on machines that lack something.

import Harness
import Testing

@testable import Doctor

struct ExaminationTests {
  @Test func fullMachine_lacksNothing() {
    let diagnosis = FakeMachine().diagnosis
    #expect(diagnosis.outcomes.allSatisfy { $0.lacking.isEmpty && $0.notes.isEmpty })
    #expect(diagnosis.impossible.isEmpty && diagnosis.packagesToInstall.isEmpty)
    #expect(diagnosis.things.allSatisfy { $0.state == .found })
  }

  @Test(arguments: [
    (
      "qemu-system-x86_64", "qemu-system-x86",
      ["boot", "boot --disk, --net", "boot --fault", "validate"]
    ),
    ("git", "git", ["effort"]), ("clang", "clang", []), ("ld.lld", "lld", []),
    ("rustc", "rustc", []), ("make", "make", []), ("gdb", "gdb", []),
  ])
  func missingProgram_namesItsPackage_andTheCommandsWithoutIt(
    program: String, package: String, commands: [String]
  ) {
    var machine = FakeMachine()
    machine.programs[program] = nil
    let diagnosis = machine.diagnosis
    #expect(diagnosis.packagesToInstall == [package])
    #expect(diagnosis.impossible == commands)
    #expect(diagnosis.text.contains("Debian package: \(package)"))
  }

  @Test func machineWithNothing_canStillAudit() {
    var machine = FakeMachine()
    machine.programs = [:]
    machine.files = []
    machine.writable = []
    let diagnosis = machine.diagnosis
    for name in ["audit", "abi", "inspect", "generate"] {
      #expect(diagnosis.lacking(name) == [])
    }
    #expect(!diagnosis.impossible.isEmpty && diagnosis.acceleration == .noDevice)
    // Nobody can tell packages apart without dpkg.
    #expect(diagnosis.thing(.packages(.build))?.state == .unknown)
  }

  @Test func images_areFound_byTheRulesOfBoot() {
    var machine = FakeMachine()
    machine.files.remove("/opt/xenograft/bin/rootstock")
    #expect(machine.diagnosis.lacking("boot") == [.image(.rootstock)])
    machine.files.insert("/opt/xenograft/lib/xenograft/rootstock")
    #expect(machine.diagnosis.thing(.image(.rootstock))?.note?.contains("lib/xenograft") == true)

    machine.variables["XENOGRAFT_XEN"] = "/images/xen.gz"
    #expect(machine.diagnosis.thing(.image(.xen))?.path == "/boot/xen-4.17-amd64.gz")
    machine.files.insert("/images/xen.gz")
    #expect(machine.diagnosis.thing(.image(.xen))?.note == "named by $XENOGRAFT_XEN")

    machine.files.remove("/opt/xenograft/lib/xenograft/xen-dom0/initramfs.cpio")
    let diagnosis = machine.diagnosis
    #expect(diagnosis.lacking("boot --hypervisor xen") == [])
    #expect(diagnosis.lacking("boot --hypervisor xen --disk, --net") == [.image(.xenDomainZero)])
    #expect(diagnosis.impossible.isEmpty, "stock Xen is no main command")
  }

  @Test func newestXen_isTaken() {
    var machine = FakeMachine()
    machine.files.formUnion(["/boot/xen-4.9-amd64.gz", "/boot/xen-4.20-amd64.gz"])
    #expect(machine.diagnosis.thing(.image(.xen))?.path == "/boot/xen-4.20-amd64.gz")
  }

  @Test func oldSwift_isUnfit() {
    var machine = FakeMachine()
    machine.programs["swiftc"] = "Swift version 5.10\n"
    let thing = machine.diagnosis.thing(.tool(.swift))
    #expect(thing?.state == .unfit && thing?.version == Version(parts: [5, 10]))
    #expect(machine.diagnosis.lacking("make")?.contains(.tool(.swift)) == true)
  }

  @Test func swiftWithoutTheBareMachine_isTold() {
    var machine = FakeMachine()
    machine.files = machine.files.filter { !$0.hasPrefix("/swift/") }
    #expect(machine.diagnosis.lacking("generate and make, in Swift") == [.embeddedSwift])
    #expect(machine.diagnosis.lacking("generate and make, in C") == [])
  }

  @Test func programThatFails_isUnfit() {
    var machine = FakeMachine()
    machine.failing = ["qemu-system-x86_64"]
    #expect(machine.diagnosis.thing(.tool(.qemu))?.state == .unfit)
    #expect(machine.diagnosis.text.contains("`qemu-system-x86_64 --version` fails"))
  }

  @Test func rust_tellsWhichCoreLibraryKernelsGet() {
    var machine = FakeMachine()
    #expect(machine.diagnosis.thing(.tool(.rustc))?.note?.hasPrefix("without") == true)
    machine.files.insert("/rust/lib/rustlib/x86_64-unknown-none")
    #expect(machine.diagnosis.thing(.tool(.rustc))?.note?.hasPrefix("with the target") == true)
  }

  @Test func validateWithoutXen_goes_andSaysWhatItSkips() throws {
    var machine = FakeMachine()
    machine.files.remove("/boot/xen-4.17-amd64.gz")
    let diagnosis = machine.diagnosis
    let outcome = try #require(diagnosis.outcomes.first { $0.activity.name == "validate" })
    #expect(outcome.lacking.isEmpty && outcome.notes.count == 1)
  }

  @Test(arguments: [
    (true, true, "vmx", HardwareAcceleration.usable), (true, true, "svm", .usable),
    (true, true, "sse", .noProcessorSupport), (true, false, "vmx", .noPermission),
    (false, false, "vmx", .noDevice),
  ])
  func acceleration_isJudgedAsBootDoes(
    isThere: Bool, isPermitted: Bool, flags: String, expected: HardwareAcceleration
  ) {
    var machine = FakeMachine()
    machine.flags = flags
    if !isThere { machine.files.remove("/dev/kvm") }
    if !isPermitted { machine.writable = [] }
    #expect(machine.diagnosis.acceleration == expected)
  }

  @Test func packages_areCountedByGoal() {
    var machine = FakeMachine()
    machine.packages.subtract(["libdw-dev", "chromium", "python3-jsonschema"])
    let diagnosis = machine.diagnosis
    #expect(diagnosis.lacking("make") == [.packages(.build)])
    #expect(Set(diagnosis.packagesToInstall) == ["libdw-dev", "chromium", "python3-jsonschema"])
    machine.pipPackages = ["jsonschema"]
    #expect(Set(machine.diagnosis.packagesToInstall) == ["libdw-dev", "chromium"])
  }
}

struct VersionTests {
  @Test(arguments: [
    ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", [7, 2, 22]),
    ("gcc (Debian 12.2.0-14) 12.2.0", [12, 2, 0]), ("GNU Make 4.3", [4, 3]),
    ("Swift version 6.3-dev", [6, 3]),
  ])
  func isFound_inWhatProgramsPrint(text: String, parts: [Int]) {
    #expect(Version(in: text)?.parts == parts)
  }

  @Test(arguments: ["", "no number", "99999999999999999999.1"])
  func isNone_withoutANumber(text: String) {
    #expect(Version(in: text) == nil)
  }

  @Test func isCompared_byParts() {
    #expect(Version(parts: [6, 3]) < Version(parts: [6, 10]))
    #expect(!(Version(parts: [6, 3, 1]) < Version(parts: [6, 3])))
  }
}
