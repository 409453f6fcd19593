// The command: parses arguments, calls one library, renders. No work is done here.

import ArgumentParser
import Foundation

@main
struct Xenograft: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "xenograft",
    abstract: "A porting kit for kernels that move from ring 0 to a Xen PV guest.",
    discussion: """
      Begin with what must change:

        xenograft audit --summary vmlinux

      Exit codes of every command: 0 done and good; 1 done and bad (findings that fail the gate); 2 bad usage or bad input; \
      3 something is missing on this machine; 130 interrupted.
      """,
    version: "xenograft \(Version.current)",
    subcommands: [
      AuditCommand.self, RulesCommand.self, UnpackCommand.self, AbiCommand.self,
      InspectCommand.self, BootCommand.self, GenerateCommand.self, TemplatesCommand.self,
      EffortCommand.self, DoctorCommand.self,
    ])

  static func main() async {
    Interruption.arm()
    do {
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
      if !message.isEmpty { StandardError.write(message + "\n") }
      Foundation.exit(code == .failure ? 1 : 2)
    }
  }
}

/// The kit's version.
enum Version {
  static let current = "0.1.0"
}
