// Usage and input: each fault gets exit code 2 and a message that says what was expected and found.

import Foundation
import Testing

struct ExitCodeTests {
  @Test(arguments: [
    ("audit", "image"), ("audit /nonexistent/kernel", "/nonexistent/kernel"),
    ("audit --format pdf Package.swift", "pdf"), ("audit --raw 48 Package.swift", "16, 32 or 64"),
    ("audit --raw 64 --base here Package.swift", "here"), ("audit --base 0 Package.swift", "--raw"),
    ("audit --jobs 0 Package.swift", "--jobs"), ("audit --fail-on never Package.swift", "expected"),
    ("audit --fail-on new Package.swift", "--baseline"), ("audit --target pv128 x", "pv128"),
    ("audit --suppress Package.swift .build/sample", "Package.swift"),
    ("audit --baseline Package.swift .build/sample", "Package.swift"),
    ("audit --debug-file a b c", "--debug-file"), ("audit Sources", "Sources"),
    ("audit --trace Package.swift .build/sample", "Package.swift"),
    ("rules show nothing", "nothing"),
    ("nonsense", "nonsense"), ("audit --no-such-option x", "--no-such-option"),
    ("audit --fail-on sometimes x", "sometimes"), ("audit --map /nonexistent/map /bin/true", "map"),
  ])
  func faultOfUsageOrInput_endsWith2_andNamesIt(line: String, named: String) throws {
    let run = try Command.run(line)
    #expect(run.status == 2, "\(line): \(run.errors)")
    #expect(run.errors.contains(named), "\(line): \(run.errors)")
    #expect(run.output.isEmpty, "nothing on standard output")
  }

  @Test(arguments: ["--help", "audit --help", "rules --help", "help audit", "--version"])
  func help_endsWith0_onStandardOutput(line: String) throws {
    let run = try Command.run(line)
    #expect(run.status == 0 && !run.output.isEmpty && run.errors.isEmpty)
  }

  @Test func version_namesTheCommand() throws {
    #expect(try Command.run("--version").text.wholeMatch(of: /xenograft \d+\.\d+\.\d+\n/) != nil)
  }

  @Test func output_thatCannotBeWritten_leavesNothing() throws {
    let kernel = try #require(sampleKernel)
    let run = try Command.run(["audit", "--output", "/nonexistent/folder/report", kernel])
    #expect(run.status == 2 && run.errors.contains("/nonexistent/folder/report"))
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completions_areMade(shell: String) throws {
    let run = try Command.run("--generate-completion-script \(shell)")
    #expect(run.status == 0 && run.text.contains("xenograft"))
  }
}
