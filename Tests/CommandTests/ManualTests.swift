// Help, manual pages and completions of every command.

import Foundation
import Testing

struct ManualTests {
  /// All pages, written once.
  private static let folder: Scratch? = {
    guard let scratch = try? Scratch(),
      let run = try? Command.run(["manual", "--output", scratch.url.path]), run.status == 0
    else { return nil }
    return scratch
  }()

  private static var pages: [URL] {
    guard let folder else { return [] }
    let found = try? FileManager.default.contentsOfDirectory(
      at: folder.url, includingPropertiesForKeys: nil)
    return (found ?? []).sorted { $0.path < $1.path }
  }

  /// `xenograft-abi-show.1` as the words behind `xenograft`.
  private static func words(_ page: URL) -> [String] {
    page.deletingPathExtension().lastPathComponent.split(separator: "-").dropFirst()
      .map(String.init)
  }

  @Test func everyCommand_hasAPage() throws {
    let names = Self.pages.map(\.lastPathComponent)
    let help = try Command.run("--help").text
    let commands = help.split(separator: "\n").drop { $0 != "SUBCOMMANDS:" }.dropFirst()
      .compactMap { $0.firstMatch(of: #/^  ([a-z]+) /#)?.output.1 }
    #expect(commands.count >= 8)
    for command in commands { #expect(names.contains("xenograft-\(command).1")) }
    #expect(names.contains("xenograft.1") && names.contains("xenograft-abi-show.1"))
    #expect(!names.contains("xenograft-manual.1"), "users have no need of it")
  }

  @Test func everyCommand_hasAnExampleInItsHelp_andNoLineTooWide() throws {
    for page in Self.pages {
      let run = try Command.run(Self.words(page) + ["--help"])
      #expect(run.status == 0)
      #expect(
        run.text.contains("  xenograft "), "\(page.lastPathComponent): no example in its help")
      // A line of an example that is folded can not be copied.
      let broken = run.text.split(separator: "\n").filter { $0.hasPrefix("  xenograft ") }
        .filter { $0.count > 80 }
      #expect(broken.isEmpty)
    }
  }

  @Test func everyOptionOfHelp_isInThePage() throws {
    for page in Self.pages {
      let help = try Command.run(Self.words(page) + ["--help"]).text
      let source = try String(contentsOf: page, encoding: .utf8).replacing("\\-", with: "-")
      for match in help.matches(of: /\n  (?:-h, )?(--[a-z-]+)/) {
        #expect(source.contains(match.output.1), "\(page.lastPathComponent): \(match.output.1)")
      }
    }
  }

  @Test(.enabled(if: Program.isThere("groff"), "groff is not here (Debian package: groff-base)"))
  func pages_giveNoWarning() throws {
    for page in Self.pages {
      let run = try Program.run("groff", ["-ww", "-man", "-Tutf8", "-P-cbou", page.path])
      #expect(run.status == 0 && run.errors.isEmpty, "\(page.lastPathComponent): \(run.errors)")
      for part in ["NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"] {
        #expect(run.text.contains(part), "\(page.lastPathComponent)")
      }
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completions_areSound_andKnowEveryCommand(shell: String) throws {
    let scratch = try Scratch()
    let script = try Command.run("--generate-completion-script \(shell)")
    #expect(script.status == 0)
    for word in ["audit", "boot", "doctor", "effort", "--until-expect", "--write-baseline"] {
      // fish writes options without their dashes.
      #expect(script.text.contains(word.drop { shell == "fish" && $0 == "-" }))
    }
    guard Program.isThere(shell) else { return }
    let file = try scratch.file("completion", Array(script.output))
    let run = try Program.run(shell, ["-n", file])
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
  }

  @Test func bash_completesCommandsAndOptions() throws {
    let scratch = try Scratch()
    let file = try scratch.file(
      "completion", Array(try Command.run("--generate-completion-script bash").output))
    // What bash does at a tab: the function is called with the words, and leaves its answers.
    func answers(_ words: [String]) throws -> [Substring] {
      let list = words.map { "'\($0)'" }.joined(separator: " ")
      let line = """
        source '\(file)'; COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1)
        COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
        _xenograft xenograft "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
        """
      return try Program.run("bash", ["-c", line]).text.split(separator: "\n")
    }
    #expect(try answers(["xenograft", "bo"]) == ["boot"])
    #expect(try answers(["xenograft", "boot", "--until"]) == ["--until-expect"])
    #expect(try answers(["xenograft", "boot", "--policy", ""]) == ["permissive", "strict"])
  }
}
