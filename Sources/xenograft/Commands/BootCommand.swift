// `xenograft boot`: runs a guest on a hypervisor in QEMU and says how it ended.

import ArgumentParser
import ControlFaults
import Foundation
import Harness

struct BootCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "boot",
    abstract: "Boot a guest on Rootstock, or on stock Xen, in QEMU.",
    discussion: """
      The guest's console goes to standard output as it comes. Ends with 0 when the guest shuts down and every --expect was \
      seen, with 1 when it crashes, something expected is missing or the time is over.

      Examples:

        xenograft boot kernel.elf
        xenograft boot --cmdline console=hvc0 --initrd initrd.img vmlinux
        xenograft boot --expect 'login:' --until-expect --timeout 120 vmlinux
        xenograft boot --policy strict --trace traps.json kernel.elf
        xenograft boot --gdb 1234 kernel.elf
        xenograft boot --hypervisor xen --format json kernel.elf
        xenograft boot --hypervisor xen --disk root.img --net user kernel.elf
        xenograft boot --domains 4 --cpus 2 kernel.elf
        xenograft boot --disk a.img --disk b.img,ro --net user vmlinux
        xenograft boot --net user,forward=8080:80 kernel.elf
        xenograft boot --disk data.img --fault block:wrong-id:every=9 kernel.elf
        xenograft boot --beside worker.elf,memory=64,count=3 kernel.elf
        xenograft boot --interactive --initrd initrd.img vmlinuz

      Exit codes: 0; 1, a bad verdict; 2, a file cannot be used; 3, QEMU or an image is missing; 130, interrupted.
      """)

  /// How the result is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
  }

  @Argument(help: "The guest's kernel: an ELF file with Xen's notes.", completion: .file())
  var kernel = ""

  @OptionGroup(title: "Guest")
  var guest: GuestOptions

  @OptionGroup(title: "Verdict")
  var verdict: VerdictOptions

  @OptionGroup(title: "Machine")
  var machine: MachineOptions

  @Option(
    help: .value("file", "Write everything that comes from the serial line to this file."),
    completion: .file())
  var log: String?

  @Option(
    help: "What is printed: the guest's console as text, or the result alone as json.")
  var format: Format = .text

  @Option(
    help: .value(
      "file", "Write what trapped, and what ran without a trap, to this file, for `audit --trace`."),
    completion: .file())
  var trace: String?

  @Option(
    help: .value(
      "file", "Write what happens to this file, one JSON document on each line, with its time."),
    completion: .file())
  var events: String?

  @Option(
    help: .value("file", "Write the result as JSON to this file, whatever is printed."),
    completion: .file())
  var result: String?

  @Flag(
    help: """
      Type on the guest's console: standard input goes to it byte by byte, from a terminal every key, Ctrl-C too. Ctrl-] \
      ends the boot with 130. The end of a file or pipe leaves the guest running.
      """)
  var interactive = false

  @Flag(help: "Print the hypervisor's messages on standard error.")
  var verbose = false

  func validate() throws {
    // Optional for --list-faults alone.
    if kernel.isEmpty, !guest.listFaults {
      throw ValidationError("expected <kernel> (the guest's kernel), found nothing")
    }
    if trace != nil, machine.hypervisor == .xen {
      throw ValidationError(
        "--trace: expected --hypervisor rootstock, found xen, which keeps no record of what it emulates."
      )
    }
    if interactive, machine.hypervisor == .xen, !guest.disk.isEmpty || guest.net.network != nil {
      throw ValidationError(
        "--interactive: expected --hypervisor rootstock for a guest with devices, found xen, where nothing can be typed on its console."
      )
    }
    if machine.hypervisor == .xen, let option = guest.needingRootstock {
      throw ValidationError(
        "\(option): expected --hypervisor rootstock, found xen, where one guest runs, as domain 0 or with devices beside Linux."
      )
    }
  }

  func run() async throws {
    if guest.listFaults { return try Self.listFaults() }
    var request = BootRequest(kernel: kernel)
    guest.apply(to: &request)
    if interactive { request.input = Self.typed() }
    verdict.apply(to: &request)
    machine.apply(to: &request)
    request.wantsEvents = events != nil
    if trace != nil { request.watched = WatchedInstructions.addresses(in: kernel) }
    for path in [trace, result] { try OutputFile.check(path) }
    request.tellsWhereabouts = true
    let console = try BootConsole(
      log: log, events: events, printsGuest: format == .text, isVerbose: verbose)
    if interactive { RawTerminal.enter() }
    defer { RawTerminal.leave() }
    let outcome: BootResult
    do throws(HarnessError) {
      outcome = try await GuestBoot.run(request) { console.show($0) }
    } catch {
      try? console.end()
      throw CommandFailure(error)
    }
    RawTerminal.leave()
    try console.end()
    if let trace { try OutputFile.write(outcome.trace(), to: trace) }
    if let result { try OutputFile.write(outcome.json(), to: result) }
    if format == .json { try StandardOutput.write(outcome.json()) }
    StandardError.write(
      BootSummary(outcome, timeout: verdict.timeout ?? VerdictOptions.usualTimeout).text(
        isShort: !verbose))
    guard outcome.isGood else { throw CommandFailure.badVerdict }
  }

  /// Ctrl-].
  private static let escape: UInt8 = 0x1d

  /// Standard input; from a terminal one key ends the command, as Ctrl-C does elsewhere.
  private static func typed() -> GuestInput {
    guard isatty(0) == 1 else { return GuestInput(descriptor: 0) }
    return GuestInput(descriptor: 0, escape: escape) { kill(getpid(), SIGINT) }
  }

  /// One line for each: name, what a sound guest makes of it, what it is.
  private static func listFaults() throws {
    let lines = Fault.all.map { fault in
      let name = "\(fault.target.name):\(fault.name)"
      return "\(padded(name, 26))\(padded("\(fault.outcome.name)", 10))\(fault.about)"
    }
    try StandardOutput.write(Array((lines.joined(separator: "\n") + "\n").utf8))
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}
