// The command: parses arguments, calls one library, renders. No work is done here.

import ArgumentParser

@main
struct Xenograft: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "xenograft",
    abstract: "A porting kit for kernels that move from ring 0 to a Xen PV guest.",
    version: "xenograft 0.1.0")
}
