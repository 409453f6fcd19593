// From what was seen to a result: each domain's end, the verdict on the run, the crash with names.

/// Judges a run that is over.
struct BootJudge {
  var plan: GuestPlan
  var dialect: any HypervisorDialect
  /// How QEMU's run ended.
  var end: MachineEnd
  /// What QEMU's own end was where it was no orderly one.
  var how: String?

  /// The result of what `session` has seen.
  func judge(_ session: BootSession) async -> BootResult {
    let lines = await session.hypervisorLines
    let domains = await judgeDomains(session)
    // What runs beside is not what is judged.
    let worst = domains[plan.subjects].worst
    let verdict: Verdict =
      if let end = await session.machineEnd {
        end
      } else if await session.isEndedByExpectation {
        .expected
      } else {
        worst?.verdict ?? dialect.verdictOfSilentEnd
      }
    // A guest of which nothing more is heard went down with the domain that serves it.
    let hasFallen = plan.hasControlDomain && domains[0].verdict == .crash
    let subject = hasFallen && worst?.reason == nil ? 0 : worst?.id ?? 0
    let kernel = domains[subject].kernel
    let alike = Set(domains.filter { $0.kernel == kernel }.map(\.id))
    let records = dialect.records(of: alike, in: lines)
    let raw = verdict == .crash ? dialect.crash(of: subject, in: lines) : nil
    let told = await reason(of: subject, in: session)
    let resting =
      verdict == .timeout
      ? dialect.whereabouts(in: lines).filter { alike.contains($0.domain) } : []
    let rawSlips = dialect.slips(of: alike, in: lines)
    let rawGrants = dialect.grants(in: lines)
    let needsSymbols =
      rawGrants.contains { alike.contains($0.domain) && ($0.page ?? $0.tornPage) != nil }
      || raw != nil || !records.traps.isEmpty || !resting.isEmpty || !(rawSlips ?? []).isEmpty
    let symbols = needsSymbols ? GuestSymbols(kernel: kernel) : nil
    let places = symbols?.locate(records.traps.map(\.place)) ?? records.traps.map(\.place)
    let traps = zip(records.traps, places).map { trap, place in
      TrapRecord(place: place, rule: trap.rule, count: trap.count)
    }
    let slips = rawSlips.map { raw in
      let places = symbols?.locate(raw.map(\.place)) ?? raw.map(\.place)
      return zip(raw, places).map { TrapRecord(place: $1, rule: $0.rule, count: $0.count) }
    }
    let grants = rawGrants.map { record in
      guard alike.contains(record.domain), let symbols else { return record }
      var record = record
      record.page = record.page.map(symbols.locate)
      record.tornPage = record.tornPage.map(symbols.locate)
      return record
    }
    return BootResult(
      verdict: verdict, times: await session.times, expectations: await session.expectations,
      domains: domains, copies: plan.copies,
      crash: verdict == .crash
        ? CrashReport(
          raw ?? RawCrash(reason: told), symbols: symbols) : nil,
      traps: traps, hypercalls: records.hypercalls, grants: grants,
      slips: slips, vcpus: resting.compactMap { VCPUPlace($0, symbols: symbols) })
  }

  private func reason(of domain: Int, in session: BootSession) async -> String {
    if let end = await session.ends[domain] { return "domain \(domain) ended: \(end.reason)" }
    let text =
      "the machine ended without a word" + (domain == 0 ? "" : " of domain \(domain)'s end")
    guard end == .closed, let how else { return text }
    return text + ": QEMU by \(how)"
  }

  private func judgeDomains(_ session: BootSession) async -> [DomainResult] {
    let ends = await session.ends
    let machineEnd = await session.machineEnd
    let isEndedByExpectation = await session.isEndedByExpectation
    return plan.kernels.enumerated().map { id, kernel in
      if let end = ends[id] {
        return DomainResult(id: id, kernel: kernel, verdict: end.verdict, reason: end.reason)
      }
      // A domain that nobody waits for may be cut off by the end of the run.
      let isAwaited = plan.awaited.contains(id)
      let verdict: Verdict? =
        if let machineEnd {
          machineEnd
        } else if end == .timeout {
          .timeout
        } else if isEndedByExpectation || !isAwaited {
          nil
        } else {
          dialect.verdictOfSilentEnd
        }
      return DomainResult(id: id, kernel: kernel, verdict: verdict, reason: nil)
    }
  }
}
