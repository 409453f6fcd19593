// `xenograft save` and `xenograft restore`: a guest with all that it has, in a file and out of it.

import ArgumentParser
import Foundation
import Harness

/// What both print and keep.
struct RunOptions: ParsableArguments {
  @Option(
    help: .value("file", "Write everything that comes from the serial line to this file."),
    completion: .file())
  var log: String?

  @Option(
    help: .value("file", "Write the result as JSON to this file."), completion: .file())
  var result: String?

  @Flag(help: "Print the hypervisor's messages on standard error.")
  var verbose = false

  /// Runs a guest, whose console goes to standard output, and judges it.
  func run(
    _ kernel: String, _ guest: GuestOptions, _ verdict: VerdictOptions, _ machine: MachineOptions,
    save: SaveRequest? = nil
  ) async throws {
    var request = BootRequest(kernel: kernel)
    guest.apply(to: &request)
    verdict.apply(to: &request)
    machine.apply(to: &request)
    request.save = save
    request.tellsWhereabouts = true
    try OutputFile.check(result)
    let console = try BootConsole(log: log, events: nil, printsGuest: true, isVerbose: verbose)
    let outcome: BootResult
    do throws(HarnessError) {
      outcome = try await GuestBoot.run(request) { console.show($0) }
    } catch {
      try? console.end()
      throw CommandFailure(error)
    }
    try console.end()
    if let result { try OutputFile.write(outcome.json(), to: result) }
    let timeout = verdict.timeout ?? VerdictOptions.usualTimeout
    StandardError.write(BootSummary(outcome, timeout: timeout).text(isShort: !verbose))
    guard outcome.isGood else { throw CommandFailure.badVerdict }
  }

  /// What neither command can do.
  static func check(_ guest: GuestOptions, _ machine: MachineOptions, xl: String) throws {
    guard machine.hypervisor == .rootstock else {
      throw ValidationError("--hypervisor: expected rootstock, found xen, whose own is `xl \(xl)`.")
    }
    guard guest.domains == 1 else {
      throw ValidationError("--domains: expected 1 guest, found \(guest.domains).")
    }
  }
}

/// When a guest is saved, and where to.
struct SaveOptions: ParsableArguments {
  @Option(
    help: .value(
      "regex",
      "Save when a line of the guest's console matches; without it at the guest's first line."))
  var when: String?

  @Option(help: .value("seconds", "Wait so long after that."))
  var after = 0.0

  @Flag(
    name: .customLong("continue"),
    help: "Let the guest go on when it is saved, to its end; without this the run ends.")
  var goesOn = false

  func validate() throws {
    if let when, (try? Regex(when)) == nil {
      throw ValidationError("--when: expected a regular expression, found \(when).")
    }
    guard (0...1_000_000).contains(after) else {
      throw ValidationError("--after: expected a number of seconds, found \(after).")
    }
  }

  /// The wish to save to a file.
  func request(_ path: String) -> SaveRequest {
    var save = SaveRequest(path: path)
    save.pattern = when
    save.delay = .milliseconds(Int64(after * 1000))
    save.continues = goesOn
    return save
  }
}

struct SaveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "save",
    abstract: "Boot a guest on Rootstock, and save it to a file under way.",
    discussion: """
      The guest is asked to suspend by control/shutdown in xenstore, as `xl save` does; one that obeys is written to the \
      file with its memory and the state of its processors. Disks are not in the file: whoever restores the guest gives it \
      the same ones. A file with a saved guest in place of the kernel is restored first.

      Examples:

        xenograft save --output guest.save --when 'login:' --initrd initrd.img vmlinux
        xenograft save --output guest.save --after 10 --disk root.img --net user kernel.elf
        xenograft save --output later.save --continue --after 5 guest.save

      Exit codes: 0, saved; 1, the guest did not suspend, cannot be saved, or ended badly; 2, a file cannot be used; 3, \
      QEMU or an image is missing; 130, interrupted.
      """)

  @Argument(help: "The guest's kernel, or a file with a saved guest.", completion: .file())
  var kernel: String

  @Option(
    help: .value("file", "The file that is written, whole or not at all."), completion: .file())
  var output: String

  @OptionGroup(title: "Time")
  var save: SaveOptions

  @OptionGroup(title: "Guest")
  var guest: GuestOptions

  @OptionGroup(title: "Verdict")
  var verdict: VerdictOptions

  @OptionGroup(title: "Machine")
  var machine: MachineOptions

  @OptionGroup(title: "Output")
  var options: RunOptions

  func validate() throws { try RunOptions.check(guest, machine, xl: "save") }

  func run() async throws {
    try OutputFile.check(output)
    try await options.run(kernel, guest, verdict, machine, save: save.request(output))
  }
}

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Let a guest go on that was saved to a file.",
    discussion: """
      The file is read and checked first: its version, its size and its SHA-256. Memory and vcpus are the file's; disks and \
      the network are to be those that the guest had, in the same order.

      Examples:

        xenograft restore guest.save
        xenograft restore --disk root.img --net user --expect 'still here' --timeout 120 guest.save

      Exit codes: 0; 1, a bad verdict; 2, the file is none, cut short or altered; 3, QEMU or an image is missing; 130, \
      interrupted.
      """)

  @Argument(help: "The file that `xenograft save` wrote.", completion: .file())
  var file: String

  @OptionGroup(title: "Guest")
  var guest: GuestOptions

  @OptionGroup(title: "Verdict")
  var verdict: VerdictOptions

  @OptionGroup(title: "Machine")
  var machine: MachineOptions

  @OptionGroup(title: "Output")
  var options: RunOptions

  func validate() throws { try RunOptions.check(guest, machine, xl: "restore") }

  func run() async throws {
    // Read here as well, so that a file that is none is told as such.
    do throws(HarnessError) { _ = try SavedDomainFile(path: file) } catch {
      throw CommandFailure(error)
    }
    try await options.run(file, guest, verdict, machine)
  }
}
