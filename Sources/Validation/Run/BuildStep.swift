// Runs a port's build command: in its folder, for so long at most, with its output kept in a bounded
// part; what it leaves running goes with it.

import Foundation
import Harness
import Subprocess
import Synchronization
import SystemPackage

/// What became of a build.
struct BuildOutcome: Sendable {
  var outcome: CheckOutcome
  /// What it printed, its beginning and its end.
  var output: [UInt8]
  var seconds: Double
}

/// One run of a build command.
struct BuildStep: Sendable {
  /// It may print as much; then it is taken for endless.
  private static let largestOutput = 64 << 20

  let command: BuildCommand
  let folder: String

  func run() async -> BuildOutcome {
    let start = ContinuousClock.now
    let log = FileManager.default.temporaryDirectory
      .appending(path: "xenograft-build-\(UUID().uuidString)").path
    defer { unlink(log) }
    let outcome = await run(log: log)
    let text = BoundedText(file: log)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    var told = outcome
    if outcome.status == .failed { told.details = Array(text.lines.suffix(12)) }
    return BuildOutcome(outcome: told, output: text.bytes, seconds: seconds)
  }

  private func run(log: String) async -> CheckOutcome {
    var options = PlatformOptions()
    // A group of its own, so that everything it starts can be ended.
    options.processGroupID = 0
    let configuration = Subprocess.Configuration(
      executable: .path("/bin/sh"), arguments: ["-c", command.command],
      workingDirectory: FilePath(folder.isEmpty ? "." : folder), platformOptions: options)
    let group = Mutex<Int32?>(nil)
    let isTooLong = Mutex<String?>(nil)
    RunningMachine.willStart()
    defer {
      if let group = group.withLock(\.self) {
        kill(-group, SIGKILL)
        RunningMachine.didEnd(-group)
      } else {
        RunningMachine.didStart(nil)
      }
    }
    do {
      let output = try FileDescriptor.open(
        log, .writeOnly, options: [.create, .truncate, .append], permissions: .ownerReadWrite)
      defer { try? output.close() }
      let result = try await Subprocess.run(
        configuration, input: .none,
        output: .fileDescriptor(output, closeAfterSpawningProcess: false),
        error: .fileDescriptor(output, closeAfterSpawningProcess: false)
      ) { execution in
        let process = execution.processIdentifier.value
        group.withLock { $0 = process }
        RunningMachine.didStart(-process)
        return watch(process, log: log) { why in isTooLong.withLock { $0 = why } }
      }
      result.closureResult.cancel()
      await RunningMachine.goOnUnlessEnding()
      if let why = isTooLong.withLock(\.self) { return .failed("`\(command.command)` \(why)") }
      switch result.terminationStatus {
      case .exited(0): return .passed("`\(command.command)`")
      case .exited(let code):
        return .failed("`\(command.command)`: expected exit code 0, found \(code)")
      case .signaled(let number):
        return .failed("`\(command.command)`: expected exit code 0, found signal \(number)")
      }
    } catch {
      return .failed("`\(command.command)` could not be run: \(error)")
    }
  }

  /// Ends the build when it takes too long or prints too much.
  private func watch(
    _ process: Int32, log: String, _ tell: @escaping @Sendable (String) -> Void
  ) -> Task<Void, Never> {
    let timeout = command.timeout
    return Task.detached {
      let deadline = ContinuousClock.now + .milliseconds(Int64(timeout * 1000))
      while true {
        do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
        let attributes = try? FileManager.default.attributesOfItem(atPath: log)
        let size = (attributes?[.size] as? NSNumber)?.intValue ?? 0
        if ContinuousClock.now >= deadline {
          tell("was still running after \(timeout) s")
        } else if size > Self.largestOutput {
          tell("printed more than \(Self.largestOutput) bytes")
        } else {
          continue
        }
        kill(-process, SIGKILL)
        return
      }
    }
  }
}
