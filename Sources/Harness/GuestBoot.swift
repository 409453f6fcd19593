// One boot from start to end: stages the files, runs the machine, judges what happened.

import Foundation

/// Boots a guest.
public enum GuestBoot {
  /// Boots the guest of `request` and waits for its end.
  ///
  /// - Parameters:
  ///   - request: What to boot.
  ///   - sink: Called with what comes from the machine, in order.
  /// - Returns: How it ended.
  /// - Throws: ``HarnessError`` where the boot could not be tried.
  public static func run(
    _ request: BootRequest, sink: @escaping @Sendable (ConsoleOutput) -> Void
  ) async throws(HarnessError) -> BootResult {
    let arguments = try QemuCommand.arguments(for: request)
    let dialect: any HypervisorDialect =
      switch request.hypervisor {
      case .rootstock: RootstockDialect()
      case .xen: XenDialect()
      }
    let staging = try Staging(request)
    let session = try BootSession(request, dialect: dialect, sink: sink)
    let machine = Machine(
      arguments: arguments, staging: staging,
      // Who debugs takes the time that it takes.
      timeout: request.debuggerPort == nil ? request.timeout : nil)
    let end = try await machine.run(
      reader: { bytes in await session.take(bytes) }, isOverdue: { await session.isOverdue })
    await session.finish()
    return try await judge(request, session, end: end, dialect: dialect, staging: staging)
  }

  private static func judge(
    _ request: BootRequest, _ session: BootSession, end: MachineEnd,
    dialect: any HypervisorDialect, staging: Staging
  ) async throws(HarnessError) -> BootResult {
    let lines = await session.hypervisorLines
    let times = await session.times
    if end == .closed, times.hypervisor == nil, times.guestFirstOutput == nil {
      let messages = try? String(contentsOfFile: staging.messages, encoding: .utf8)
      throw .emulator(
        message: messages?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "no message")
    }
    let verdict =
      await session.verdict ?? (end == .timeout ? .timeout : dialect.verdictOfSilentEnd)
    let records = dialect.records(in: lines)
    let raw = verdict == .crash ? dialect.crash(in: lines) : nil
    let needsSymbols = raw != nil || !records.traps.isEmpty
    let symbols = needsSymbols ? GuestSymbols(kernel: request.kernel) : nil
    let places = symbols?.locate(records.traps.map(\.place)) ?? records.traps.map(\.place)
    let traps = zip(records.traps, places).map { trap, place in
      TrapRecord(place: place, rule: trap.rule, count: trap.count)
    }
    return BootResult(
      verdict: verdict, times: times, expectations: await session.expectations,
      crash: verdict == .crash
        ? CrashReport(
          raw ?? RawCrash(reason: "the machine ended without a word"), symbols: symbols) : nil,
      traps: traps, hypercalls: records.hypercalls)
  }
}
