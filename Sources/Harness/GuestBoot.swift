// One boot from start to end: stages the files, runs the machine, judges what happened.

import Foundation

/// Boots a guest.
public enum GuestBoot {
  /// Boots the guest of `request`, with what runs beside it, and waits for its end.
  ///
  /// - Parameters:
  ///   - request: What to boot.
  ///   - isEnough: Asked now and then; the run ends when it says so, as where everything expected was seen.
  ///   - sink: Called with what comes from the machine, in order.
  /// - Returns: How it ended.
  /// - Throws: ``HarnessError`` where the boot could not be tried.
  public static func run(
    _ request: BootRequest, isEnough: @escaping @Sendable () -> Bool = { false },
    sink: @escaping @Sendable (ConsoleOutput) -> Void
  ) async throws(HarnessError) -> BootResult {
    var request = request
    if SavedDomainFile.isSaved(request.kernel) {
      let saved = try SavedDomainFile(path: request.kernel)
      request.memory = saved.memory
      request.vcpus = saved.vcpus
    }
    let plan = try GuestPlan(request, controlDomain: HypervisorImage.controlDomain(for: request))
    let arguments = try QemuCommand.arguments(for: request, plan)
    let dialect: any HypervisorDialect =
      switch request.hypervisor {
      case .rootstock: RootstockDialect()
      case .xen: XenDialect()
      }
    let staging = try Staging(request, plan)
    var pump: InputPump?
    var saving: SaveWatch?
    var commands: Pipe?
    if let save = request.save {
      let pipe = Pipe()
      commands = pipe
      pump = try InputPump(GuestInput(descriptor: pipe.fileHandleForReading.fileDescriptor))
      saving = try SaveWatch(save, folder: staging.folder) { command in
        try? pipe.fileHandleForWriting.write(contentsOf: Array(command.utf8))
      }
    }
    defer { withExtendedLifetime(commands) {} }
    let session = try BootSession(
      request, plan, dialect: dialect, folder: staging.folder, isEnough: isEnough,
      saving: saving, sink: sink)
    if let input = request.input {
      if request.hypervisor == .xen, plan.hasControlDomain {
        throw .input(
          path: "--interactive", expected: "a guest without devices on stock Xen",
          found: "one beside Linux, whose console nothing can be typed on")
      }
      pump = try InputPump(input)
    }
    defer { pump?.stop() }
    let log =
      try QemuCommand.watches(request)
      ? TranslationLog(request.watched, in: staging.folder) : nil
    let (end, how) = try await Machine(
      arguments: arguments, staging: staging, input: pump?.machineEnd
    ).run(
      reader: { [pump] bytes in
        let isOver = await session.take(bytes)
        if let pump, await session.takesInput { pump.open() }
        return isOver
      }, look: { await session.look() })
    await session.finish()
    let times = await session.times
    if end == .closed, times.hypervisor == nil, times.guestFirstOutput == nil {
      let messages = try? String(contentsOfFile: staging.messages, encoding: .utf8)
      throw .emulator(
        message: messages?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "no message")
    }
    if let fault = await session.saveFault { throw .save(reason: fault) }
    var result = await BootJudge(plan: plan, dialect: dialect, end: end, how: how).judge(session)
    result.watched = log?.end().map { records in
      let places = records.map(\.place)
      let named = GuestSymbols(kernel: request.kernel)?.locate(places) ?? places
      return zip(records, named).map { WatchRecord(place: $1, isRun: $0.isRun) }
    }
    await session.conclude(result.verdict)
    return result
  }
}
