// Rootstock's messages: a level, a kind, and fields with names.
//
//   rootstock: info: shutdown: domain=0 reason=poweroff
//   rootstock: error: crash: domain=0 vcpu=0 mode=kernel reason=no handler for the exception
//   rootstock: error: crash: vector=14 error=0x2 rip=0xffffffff8010103e cs=0xe033 …
//   rootstock: error: crash: stack=0xf 0x0 0x2
//   rootstock: error: panic: reason
//   rootstock: info: trap: rip=0xffffffff81001000 rule=cpuid count=12
//   rootstock: info: order: domain=1 rip=0xffffffff81001000 rule=unmask-without-look count=3
//   rootstock: info: order-watched: domain=1 unmasked=90 time=12 published=8 wished=7
//   rootstock: info: hypercall: number=1 count=40 errors=2
//   rootstock: info: where: domain=1 vcpu=0 state=blocked mode=kernel
//   rootstock: info: where: rip=0xffffffff80101000 rsp=0x9000 rbp=0x0
//   rootstock: info: where: stack=0x1 0x2
//   rootstock: info: grants: domain=1 granted=2 used=1 mapped=0 first=9 page=0xffffffff80123000 torn=0 torn-page=0x0
//
// A `crash:` line with a reason begins a report, and those behind it without `domain=` belong to
// it. Traps and hypercalls without `domain=` are domain 0's.

/// The kit's own hypervisor.
struct RootstockDialect: HypervisorDialect {
  var prefix: String { "rootstock: " }
  var endsMachine: Bool { true }
  var listensEarly: Bool { true }
  var verdictOfSilentEnd: Verdict { .crash }

  func notice(in line: String) -> HypervisorNotice {
    let message = RootstockMessage(line)
    switch message.kind {
    case "panic": return .machineEnded(.crash)
    case "shutdown":
      let reason = message.field("reason") ?? ""
      return .domainEnded(message.domain ?? 0, verdict(of: reason), reason: String(reason))
    default:
      return message.text.hasPrefix("the guest cannot be started") ? .machineEnded(.crash) : .other
    }
  }

  private func verdict(of reason: Substring) -> Verdict {
    switch reason {
    case "poweroff": .poweroff
    case "reboot", "soft-reset": .reboot
    case "suspend": .suspended
    default: .crash
    }
  }

  func crash(of domain: Int, in lines: [String]) -> RawCrash? {
    let messages = lines.map(RootstockMessage.init)
    if let panic = messages.firstIndex(where: { $0.kind == "panic" }) {
      var crash = RawCrash(reason: "Rootstock: \(messages[panic].text)")
      for part in messages[(panic + 1)...] where part.kind == "panic" { crash.add(part) }
      return crash
    }
    var crash: RawCrash?
    var reported: Int?
    for message in messages where message.kind == "crash" {
      let isHead = message.field("reason") != nil
      reported = message.domain ?? (isHead ? 0 : reported)
      guard reported == domain else { continue }
      if !isHead {
        crash?.add(message)
      } else if crash == nil {
        crash = RawCrash(reason: String(message.rest(of: "reason")))
      } else {
        // What comes after the first crash of a domain is no part of it.
        break
      }
    }
    if let crash { return crash }
    if let refusal = messages.first(where: { $0.text.hasPrefix("the guest cannot") }) {
      return RawCrash(reason: String(refusal.text))
    }
    let end = messages.first { $0.kind == "shutdown" && ($0.domain ?? 0) == domain }
    return end.map { end in
      RawCrash(reason: "the guest shut itself down with reason \(end.field("reason") ?? "unknown")")
    }
  }

  func records(
    of domains: Set<Int>, in lines: [String]
  ) -> (traps: [TrapRecord], hypercalls: [HypercallRecord]) {
    var traps: [TrapKey: UInt64] = [:]
    var hypercalls: [String: (count: UInt64, errors: UInt64)] = [:]
    for message in lines.lazy.map(RootstockMessage.init)
    where message.kind == "trap" || message.kind == "hypercall" {
      guard domains.contains(message.domain ?? 0),
        let count = message.field("count").flatMap({ UInt64($0) })
      else { continue }
      if message.kind == "trap", let rip = message.field("rip").flatMap({ Hex.value($0) }) {
        let key = TrapKey(address: rip, rule: String(message.field("rule") ?? "unknown"))
        traps[key] = saturatingSum(traps[key] ?? 0, count)
      } else if message.kind == "hypercall",
        let number = message.field("number").flatMap({ UInt64($0) })
      {
        let errors = message.field("errors").flatMap { UInt64($0) } ?? 0
        let name = HypercallNames.name(of: number)
        let sum = hypercalls[name] ?? (0, 0)
        hypercalls[name] = (saturatingSum(sum.count, count), saturatingSum(sum.errors, errors))
      }
    }
    return (
      traps.map { key, count in
        TrapRecord(place: CodePlace(address: key.address), rule: key.rule, count: count)
      }.sorted { ($1.count, $0.place.address, $0.rule) < ($0.count, $1.place.address, $1.rule) },
      hypercalls.map { HypercallRecord(name: $0, count: $1.count, errors: $1.errors) }
        .sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    )
  }
}

extension RootstockDialect {
  func grants(in lines: [String]) -> [GrantRecord] {
    lines.lazy.map(RootstockMessage.init).filter { $0.kind == "grants" }.compactMap { message in
      let numbers = ["domain", "granted", "used", "mapped", "first"].compactMap { name in
        message.field(name).flatMap { Int($0) }
      }
      guard numbers.count == 5 else { return nil }
      var record = GrantRecord(
        domain: numbers[0], granted: numbers[1], used: numbers[2], mapped: numbers[3],
        first: numbers[4])
      record.torn = message.field("torn").flatMap { Int($0) } ?? 0
      record.page = place("page", message)
      record.tornPage = place("torn-page", message)
      return record
    }
  }
}

extension RootstockDialect {
  /// An address that is not 0.
  private func place(_ field: String, _ message: RootstockMessage) -> DataPlace? {
    guard let address = message.field(field).flatMap({ Hex.value($0) }), address != 0 else {
      return nil
    }
    return DataPlace(address: address)
  }

  func slips(of domains: Set<Int>, in lines: [String]) -> [TrapRecord]? {
    let messages = lines.lazy.map(RootstockMessage.init).filter { message in
      message.domain.map(domains.contains) ?? false
    }
    guard messages.contains(where: { $0.kind == "order-watched" }) else { return nil }
    return messages.filter { $0.kind == "order" }.compactMap { message in
      guard let rip = message.field("rip").flatMap({ Hex.value($0) }),
        let count = message.field("count").flatMap({ UInt64($0) })
      else { return nil }
      return TrapRecord(
        place: CodePlace(address: rip), rule: String(message.field("rule") ?? "unknown"),
        count: count)
    }
  }
}

extension RootstockDialect {
  func whereabouts(in lines: [String]) -> [RawWhereabouts] {
    var found: [RawWhereabouts] = []
    for message in lines.lazy.map(RootstockMessage.init) where message.kind == "where" {
      if let domain = message.domain {
        guard let vcpu = message.field("vcpu").flatMap({ Int($0) }) else { continue }
        let state = String(message.field("state") ?? "")
        found.append(
          RawWhereabouts(domain: domain, vcpu: vcpu, state: state, raw: RawCrash(reason: "")))
      } else if !found.isEmpty {
        found[found.count - 1].raw.add(message)
      }
    }
    return found
  }
}

/// What the counts of several domains are summed by.
private struct TrapKey: Hashable {
  var address: UInt64
  var rule: String
}

/// Numbers on the serial line may be anything.
private func saturatingSum(_ a: UInt64, _ b: UInt64) -> UInt64 {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? .max : sum
}

extension RawCrash {
  /// Takes in a line of registers or of the stack.
  fileprivate mutating func add(_ message: RootstockMessage) {
    if message.field("stack") != nil {
      stack = message.rest(of: "stack").split(separator: " ").compactMap { Hex.value($0) }
    } else {
      registers += message.registers
    }
  }
}

/// One of Rootstock's lines, taken apart.
private struct RootstockMessage {
  /// What the line is about; empty where it is for people alone.
  var kind: Substring = ""
  /// What follows the kind, or the level.
  var text: Substring

  init(_ line: String) {
    text = line[...]
    if let level = text.firstRange(of: ": ") { text = text[level.upperBound...] }
    if let end = text.firstRange(of: ": "), !text[..<end.lowerBound].contains(" ") {
      kind = text[..<end.lowerBound]
      text = text[end.upperBound...]
    }
  }

  /// The word behind `name=`.
  func field(_ name: String) -> Substring? {
    text.split(separator: " ").lazy.compactMap { word in
      word.hasPrefix(name + "=") ? word.dropFirst(name.count + 1) : nil
    }.first
  }

  /// The domain that the line names.
  var domain: Int? { field("domain").flatMap { Int($0) } }

  /// Everything behind `name=`.
  func rest(of name: String) -> Substring {
    text.firstRange(of: name + "=").map { text[$0.upperBound...] } ?? text
  }

  /// Fields whose values are hexadecimal numbers.
  var registers: [RegisterValue] {
    text.split(separator: " ").compactMap { word in
      guard let sign = word.firstIndex(of: "="),
        word[word.index(after: sign)...].hasPrefix("0x"),
        let value = Hex.value(word[word.index(after: sign)...])
      else { return nil }
      return RegisterValue(name: String(word[..<sign]), value: value)
    }
  }
}
