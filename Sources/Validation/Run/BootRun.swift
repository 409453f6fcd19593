// One boot of the port, for all checks that it can serve: the port's own, one with a fault, or one on
// the other hypervisor.

import Foundation
import Harness
import Synchronization

/// What is to be booted.
struct BootJob: Sendable {
  /// What artefacts and progress call it.
  var name: String
  var request: BootRequest
  var disks: [PortDisk] = []
  /// Disks whose bytes are looked at afterwards.
  var comparedDisks: [(check: String, disk: String, BlockCheck)] = []
  var watches = BootWatches()
  /// Questions over the network, by the check's name, in order.
  var questions: [(check: String, NetworkCheck)] = []
  /// The guest is to end by itself; else the run ends when nothing more is awaited.
  var awaitsEnd = true
}

/// What one boot gave.
struct BootRun: Sendable {
  var name: String
  var request: BootRequest
  var result: Result<BootResult, HarnessError>
  /// Why it could not be made ready; then the result means nothing.
  var preparation: PreparationError?
  var seen = BootObservation()
  var answers: [String: CheckOutcome] = [:]
  /// How disks differ from what they should be, by the check's name; absent where they do not.
  var differences: [String: String] = [:]
  /// Of a crash that the hypervisor knows no place of: what the console names.
  var consolePlaces: [CodePlace] = []
  var seconds = 0.0
  var awaitedEnd = true

  /// The boot's result; `nil` where it was not tried.
  var boot: BootResult? {
    guard preparation == nil else { return nil }
    return try? result.get()
  }
}

extension BootJob {
  /// How long the guest shows that it stays alive where nobody awaits its end, in seconds.
  private static let settling = 2.0

  /// Boots, and asks and looks what is to be asked and looked at.
  func run() async -> BootRun {
    let start = ContinuousClock.now
    var run = await attempt()
    // Somebody else may have taken the port meanwhile.
    if !questions.isEmpty, case .failure(.emulator(let message)) = run.result,
      message.contains("hostfwd") || message.contains("host forwarding")
    {
      run = await attempt()
    }
    run.seconds = (ContinuousClock.now - start) / .seconds(1)
    return run
  }

  private func attempt() async -> BootRun {
    var run = BootRun(
      name: name, request: request, result: .failure(.emulator(message: "not tried")),
      awaitedEnd: awaitsEnd)
    let made: Result<DiskCopies, PreparationError> = await offload { [disks] in
      do throws(PreparationError) { return .success(try DiskCopies(disks)) } catch {
        return .failure(error)
      }
    }
    let copies: DiskCopies
    switch made {
    case .success(let made): copies = made
    case .failure(let error):
      run.preparation = error
      return run
    }
    run.request.disks = copies.disks
    guard let ports = forwards(&run) else { return run }
    let recorder = BootRecorder(watches)
    let answers = Mutex<[String: CheckOutcome]>([:])
    let shortage = Mutex<String?>(nil)
    let questions = questions
    let request = run.request
    let settling = Self.settling
    let awaitsEnd = awaitsEnd
    async let asked: Void = offload {
      for (check, question) in questions {
        let probe = NetworkProbe(
          check: question, port: ports[question.port] ?? 0,
          isReady: {
            question.after == nil
              ? recorder.firstOutput != nil : recorder.isSatisfied(Self.watchName(of: check))
          }, isOver: { recorder.isOver })
        let outcome = probe.run()
        answers.withLock { $0[check] = outcome }
      }
    }
    do throws(HarnessError) {
      let result = try await GuestBoot.run(
        request,
        isEnough: {
          // Looked at under way: there is room again when the emulator has ended.
          if let lack = copies.shortage() { shortage.withLock { $0 = lack } }
          guard !awaitsEnd, let first = recorder.firstOutput else { return false }
          return recorder.elapsed > first + settling && recorder.isSatisfied
            && answers.withLock { $0.count } == questions.count
        }, sink: { recorder.take($0) })
      run.result = .success(result)
    } catch {
      run.result = .failure(error)
    }
    recorder.end()
    await asked
    if run.boot?.verdict == .timeout, let lack = shortage.withLock(\.self) {
      run.preparation = .machine(lack)
      return run
    }
    run.answers = answers.withLock(\.self)
    run.seen = recorder.observation
    if let crash = run.boot?.crash, crash.place == nil {
      let lines = run.seen.console.lines
      run.consolePlaces = await offload {
        ConsoleAddresses.places(in: lines, kernel: request.kernel)
      }
    }
    run.differences = await offload { [comparedDisks] in Self.compare(comparedDisks, copies, disks)
    }
    return run
  }

  /// What the watch for the line that a question waits for is called.
  static func watchName(of check: String) -> String { check + " (after)" }

  /// Gives each port of the guest that is asked one of this machine's.
  private func forwards(_ run: inout BootRun) -> [Int: Int]? {
    var ports: [Int: Int] = [:]
    for (_, question) in questions where ports[question.port] == nil {
      guard let port = FreePorts.take() else {
        run.preparation = .machine("a free port")
        return nil
      }
      ports[question.port] = port
      run.request.network?.forwards.append(PortForward(host: port, guest: question.port))
    }
    return ports
  }

  private static func compare(
    _ checks: [(check: String, disk: String, BlockCheck)], _ copies: DiskCopies, _ disks: [PortDisk]
  ) -> [String: String] {
    var differences: [String: String] = [:]
    for (name, disk, check) in checks {
      let path = copies.path(of: disk)
      if let other = check.sameAs {
        differences[name] = DiskComparison.difference(of: path, from: .file(other.path))
          .map { "as \(other.text), found \($0)" }
      } else if check.isUnchanged, let contents = disks.first(where: { $0.name == disk })?.contents
      {
        let reference: DiskReference =
          switch contents {
          case .file(let file): .file(file.path)
          case .zeros(let size): .zeros(size)
          }
        differences[name] = DiskComparison.difference(of: path, from: reference)
          .map { "as at the start, found \($0)" }
      }
      if differences[name] == nil, let digest = check.sha256 {
        let found = (try? DiskComparison.digest(of: path)) ?? "none"
        if found != digest { differences[name] = "with SHA-256 \(digest), found \(found)" }
      }
    }
    return differences
  }
}
