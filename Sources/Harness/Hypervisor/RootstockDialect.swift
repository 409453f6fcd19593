// Rootstock's messages: a level, a kind, and fields with names.
//
//   rootstock: info: shutdown: domain=0 reason=poweroff
//   rootstock: error: crash: domain=0 vcpu=0 mode=kernel reason=no handler for the exception
//   rootstock: error: crash: vector=14 error=0x2 rip=0xffffffff8010103e cs=0xe033 …
//   rootstock: error: crash: stack=0xf 0x0 0x2
//   rootstock: error: panic: reason
//   rootstock: info: trap: rip=0xffffffff81001000 rule=cpuid count=12
//   rootstock: info: hypercall: number=1 count=40 errors=2

/// The kit's own hypervisor.
struct RootstockDialect: HypervisorDialect {
  var prefix: String { "rootstock: " }
  var endsMachine: Bool { true }
  var verdictOfSilentEnd: Verdict { .crash }

  func notice(in line: String) -> HypervisorNotice {
    let message = RootstockMessage(line)
    switch message.kind {
    case "panic": return .ended(.crash)
    case "shutdown": return .ended(verdict(of: message.field("reason") ?? ""))
    default:
      return message.text.hasPrefix("the guest cannot be started") ? .ended(.crash) : .other
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

  func crash(in lines: [String]) -> RawCrash? {
    let messages = lines.map(RootstockMessage.init)
    let kind = messages.contains { $0.kind == "panic" } ? "panic" : "crash"
    let parts = messages.filter { $0.kind == kind }
    guard let first = parts.first else {
      if let refusal = messages.first(where: { $0.text.hasPrefix("the guest cannot") }) {
        return RawCrash(reason: String(refusal.text))
      }
      return RawCrash(reason: "the guest shut itself down with reason crash")
    }
    var crash = RawCrash(
      reason: kind == "panic" ? "Rootstock: \(first.text)" : String(first.rest(of: "reason")))
    for part in parts.dropFirst() {
      if part.text.hasPrefix("stack=") {
        crash.stack = part.rest(of: "stack").split(separator: " ").compactMap { Hex.value($0) }
      } else {
        crash.registers += part.registers
      }
    }
    return crash
  }

  func records(in lines: [String]) -> (traps: [TrapRecord], hypercalls: [HypercallRecord]) {
    var traps: [TrapRecord] = []
    var hypercalls: [HypercallRecord] = []
    for message in lines.lazy.map(RootstockMessage.init) {
      guard let count = message.field("count").flatMap({ UInt64($0) }) else { continue }
      if message.kind == "trap", let rip = message.field("rip").flatMap({ Hex.value($0) }) {
        traps.append(
          TrapRecord(
            place: CodePlace(address: rip), rule: String(message.field("rule") ?? "unknown"),
            count: count))
      } else if message.kind == "hypercall",
        let number = message.field("number").flatMap({ UInt64($0) })
      {
        hypercalls.append(
          HypercallRecord(
            name: HypercallNames.name(of: number), count: count,
            errors: message.field("errors").flatMap { UInt64($0) } ?? 0))
      }
    }
    return (traps.sorted { $0.count > $1.count }, hypercalls.sorted { $0.count > $1.count })
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
