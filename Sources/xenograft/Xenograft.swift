// The command: parses arguments, calls one library, renders. No work is done here.

import ArgumentParser
import Foundation

@main
struct Xenograft: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "xenograft",
    abstract: "A porting kit for kernels that move from ring 0 to a Xen PV guest.",
    discussion: """
      The loop of a port:

        xenograft audit --summary vmlinux          what must change
        xenograft generate kernel --output pv      how a guest's kernel begins
        xenograft inspect vmlinux                  what loaders make of it
        xenograft boot --trace traps.json vmlinux  what still traps
        xenograft audit --trace traps.json vmlinux which findings ran
        xenograft validate PORT.yaml               whether it holds, for CI
        xenograft effort --base v1 --port v2       what it cost

      `xenograft doctor` says what this machine lacks for any of them.

      Exit codes of every command: 0 done and good; 1 done and bad (findings that fail the gate, a guest that crashed); \
      2 bad usage or bad input; 3 something is missing on this machine; 130 interrupted.
      """,
    version: "xenograft \(Version.current)",
    subcommands: [
      AuditCommand.self, RulesCommand.self, UnpackCommand.self, AbiCommand.self,
      InspectCommand.self, BootCommand.self, SaveCommand.self, RestoreCommand.self,
      GenerateCommand.self, TemplatesCommand.self,
      EffortCommand.self, ValidateCommand.self, DoctorCommand.self, ManualCommand.self,
    ])

  static func main() async {
    Interruption.arm()
    do {
      try expectKnownHelp(CommandLine.arguments.dropFirst())
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let failure as CommandFailure {
      failure.report()
      Foundation.exit(failure.exitCode)
    } catch {
      // Help and version end with 0; every fault of usage with 2.
      let code = exitCode(for: error)
      let message = fullMessage(for: error)
      if code == .success {
        print(message)
        Foundation.exit(0)
      }
      if !message.isEmpty { StandardError.write(UsageFault(message).text) }
      Foundation.exit(code == .failure ? 1 : 2)
    }
  }
}

extension Xenograft {
  /// `help` for a command that is none: the parser would print the help of the whole.
  private static func expectKnownHelp(_ words: ArraySlice<String>) throws {
    guard words.first == "help" else { return }
    var command = try CommandDescription(dump: _dumpHelp())
    for word in words.dropFirst() where !word.hasPrefix("-") {
      let subcommands = command.subcommands ?? []
      guard let next = subcommands.first(where: { $0.commandName == word }) else {
        let names = command.shownSubcommands.map(\.commandName)
        throw CommandFailure.input(
          "help: expected "
            + (names.isEmpty ? "no further word" : names.joined(separator: ", "))
            + ", found \(word)")
      }
      command = next
    }
  }
}

/// The kit's version.
enum Version {
  static let current = "0.1.0"
}
