// Drives QEMU: starts it, hands its serial line on as it comes, ends it in time.

import Foundation
import Subprocess
import Synchronization
import SystemPackage

/// How QEMU's run ended.
enum MachineEnd {
  /// Nobody wanted to read on.
  case enough
  /// QEMU ended by itself.
  case closed
  /// The time was over.
  case timeout
}

/// One run of QEMU.
struct Machine: Sendable {
  var arguments: [String]
  var staging: Staging
  /// What the serial line reads, and `run` closes; `nil` for nothing.
  var input: FileDescriptor?

  /// Runs QEMU until it ends, `reader` has enough, or `look` says how it is to end.
  ///
  /// `look` is called now and then, whether or not anything comes. With the end comes what QEMU's own
  /// was, where it was no orderly one: `signal 9`.
  func run(
    reader: @escaping @Sendable ([UInt8]) async -> Bool,
    look: @escaping @Sendable () async -> MachineEnd?
  ) async throws(HarnessError) -> (end: MachineEnd, how: String?) {
    let configuration = Subprocess.Configuration(
      executable: .name(QemuCommand.executable), arguments: Arguments(arguments),
      workingDirectory: FilePath(staging.folder.path))
    do {
      let messages = try FileDescriptor.open(
        staging.messages, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
      let input = try input ?? FileDescriptor.open("/dev/null", .readOnly)
      let process = Mutex<pid_t?>(nil)
      RunningMachine.willStart()
      defer {
        if let started = process.withLock(\.self) {
          RunningMachine.didEnd(started)
        } else {
          RunningMachine.didStart(nil)
        }
      }
      let result = try await Subprocess.run(
        configuration, input: .fileDescriptor(input, closeAfterSpawningProcess: true),
        output: .sequence,
        error: .fileDescriptor(messages, closeAfterSpawningProcess: true)
      ) { execution in
        process.withLock { $0 = execution.processIdentifier.value }
        RunningMachine.didStart(execution.processIdentifier.value)
        return try await watch(execution, reader: reader, look: look)
      }
      await RunningMachine.goOnUnlessEnding()
      let how: String? =
        switch result.terminationStatus {
        case .signaled(let number): "signal \(number)"
        case .exited(let code): code == 0 ? nil : "exit code \(code)"
        }
      return (result.closureResult, how)
    } catch let error as SubprocessError where error.code == .executableNotFound {
      throw .missing(
        what: "\(QemuCommand.executable) on PATH", remedy: .package("qemu-system-x86"))
    } catch {
      throw .emulator(message: "\(error)")
    }
  }

  /// The first of three things that happens: QEMU closes the line, the reader has enough, the time is over.
  private func watch<Input, Errors>(
    _ execution: Execution<Input, SequenceOutput, Errors>,
    reader: @escaping @Sendable ([UInt8]) async -> Bool,
    look: @escaping @Sendable () async -> MachineEnd?
  ) async throws -> MachineEnd {
    try await withThrowingTaskGroup(of: MachineEnd?.self) { group in
      group.addTask {
        for try await buffer in execution.standardOutput {
          let bytes = buffer.withUnsafeBytes { Array($0) }
          if await reader(bytes) { return .enough }
        }
        return .closed
      }
      group.addTask {
        while true {
          // A cancelled sleep says nothing.
          do { try await Task.sleep(for: .milliseconds(100)) } catch { return nil }
          if let end = await look() { return end }
        }
      }
      let end = try await group.next() ?? .closed
      if end != .closed {
        await execution.teardown(
          using: [.send(signal: .terminate, allowedDurationToNextStep: .seconds(1))])
      }
      group.cancelAll()
      return end ?? .closed
    }
  }
}
