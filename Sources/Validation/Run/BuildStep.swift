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
  fileprivate static let largestOutput = 64 << 20

  let command: BuildCommand
  let folder: String

  func run() async -> BuildOutcome {
    let start = ContinuousClock.now
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      let why = String(cString: strerror(errno))
      return BuildOutcome(outcome: .failed("no pipe for the build: \(why)"), output: [], seconds: 0)
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let watch = BuildWatch(descriptor: ends[0], timeout: command.timeout)
    let status = await run(output: FileDescriptor(rawValue: ends[1]), watch)
    let (text, why) = await watch.finish()
    await RunningMachine.goOnUnlessEnding()
    var outcome = why.map { CheckOutcome.failed("`\(command.command)` \($0)") } ?? status
    if outcome.status == .failed { outcome.details = Array(text.lines.suffix(12)) }
    return BuildOutcome(
      outcome: outcome, output: text.bytes, seconds: (ContinuousClock.now - start) / .seconds(1))
  }

  private func run(output: FileDescriptor, _ watch: BuildWatch) async -> CheckOutcome {
    var options = PlatformOptions()
    // A group of its own, so that everything it starts can be ended.
    options.processGroupID = 0
    let configuration = Subprocess.Configuration(
      executable: .path("/bin/sh"), arguments: ["-c", command.command + "\n"],
      workingDirectory: FilePath(folder.isEmpty ? "." : folder), platformOptions: options)
    RunningMachine.willStart()
    var group: Int32?
    defer {
      try? output.close()
      if let group {
        kill(-group, SIGKILL)
        RunningMachine.didEnd(-group)
      } else {
        RunningMachine.didStart(nil)
      }
    }
    do {
      let result = try await Subprocess.run(
        configuration, input: .none,
        output: .fileDescriptor(output, closeAfterSpawningProcess: false),
        error: .fileDescriptor(output, closeAfterSpawningProcess: false)
      ) { execution in
        let process = execution.processIdentifier.value
        RunningMachine.didStart(-process)
        watch.begin(process)
        return process
      }
      group = result.closureResult
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
}

/// Reads what a build prints, and ends it when it takes too long or prints too much: on a thread of its
/// own, so that a build that prints for ever waits for it and not the disk for the build.
private final class BuildWatch: Sendable {
  private struct State {
    var text = BoundedText()
    var process: Int32?
    var why: String?
    /// When the build was over.
    var finish: ContinuousClock.Instant?
  }

  /// What has left the build's group may go on printing: so long it is read after the build's end.
  private static let patience = Duration.milliseconds(500)

  private let state = Mutex(State())
  private let descriptor: Int32
  private let timeout: Double
  private let ended = DispatchSemaphore(value: 0)

  init(descriptor: Int32, timeout: Double) {
    self.descriptor = descriptor
    self.timeout = timeout
    Thread.detachNewThread { [self] in read() }
  }

  /// The build runs, in a group of this number.
  func begin(_ process: Int32) { state.withLock { $0.process = process } }

  /// The build is over: what it printed, and why it was ended.
  func finish() async -> (text: BoundedText, why: String?) {
    state.withLock { $0.finish = .now }
    await offload { [ended] in ended.wait() }
    return state.withLock { ($0.text, $0.why) }
  }

  /// Whether a process is over and only nobody has asked for its end yet, or has not told of its begin:
  /// then it did not take too long, whoever waits for it did.
  private static func hasEnded(_ process: Int32?) -> Bool {
    guard let process else { return true }
    var end = siginfo_t()
    let isKnown = waitid(P_PID, id_t(process), &end, WEXITED | WNOHANG | WNOWAIT) == 0
    return isKnown ? end.si_signo == SIGCHLD : errno == ECHILD
  }

  private func read() {
    defer {
      close(descriptor)
      ended.signal()
    }
    let deadline = ContinuousClock.now + .milliseconds(Int64(timeout * 1000))
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let isReady = poll(&wanted, 1, 50) > 0
      // What has left the group may hold the pipe open: nobody waits for that.
      if let finish = state.withLock({ $0.finish }),
        !isReady || ContinuousClock.now - finish > Self.patience
      {
        return
      }
      if isReady {
        let count = Foundation.read(descriptor, &buffer, buffer.count)
        if count == 0 || count < 0 && errno != EINTR { return }
        state.withLock { $0.text.append(Array(buffer[..<max(0, count)])) }
      }
      let isOver = state.withLock { state in
        guard state.finish == nil else { return false }
        if state.why == nil {
          if ContinuousClock.now >= deadline, !Self.hasEnded(state.process) {
            state.why = "was still running after \(timeout) s"
          } else if state.text.total > BuildStep.largestOutput {
            state.why = "printed more than \(BuildStep.largestOutput) bytes"
          } else {
            return false
          }
        }
        if let process = state.process {
          kill(-process, SIGKILL)
          state.process = nil
        }
        return state.text.total > BuildStep.largestOutput
      }
      // With nobody at the pipe's other end, it ends even where its number is not known yet.
      if isOver { return }
    }
  }
}
