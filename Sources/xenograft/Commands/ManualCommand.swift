// What `make man` calls; users have no need of it.

import ArgumentParser
import Foundation

struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Write the manual pages of all commands.",
    discussion: """
      Example:

        xenograft manual --output share/man/man1
      """, shouldDisplay: false)

  @Option(
    help: .value("folder", "The folder to write into; it is made where it is not there."),
    completion: .directory)
  var output: String

  func run() throws {
    let root = try CommandDescription(dump: Xenograft._dumpHelp())
    do {
      try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    } catch {
      throw CommandFailure.input(
        "\(output): expected a folder that can be made, found: \(error.localizedDescription)")
    }
    for command in root.all {
      let name = ManualPage.title(command)
      let above = command.words.dropLast()
      let related = root.all.filter { other in
        let words = other.words
        return other.words != command.words
          && (words == Array(above) || Array(words.dropLast()) == command.words
            || (!above.isEmpty && Array(words.dropLast()) == Array(above)))
      }
      let page = ManualPage(command, related: related, version: Version.current)
      try OutputFile.write(Array(page.text.utf8), to: "\(output)/\(name).1")
    }
  }
}
