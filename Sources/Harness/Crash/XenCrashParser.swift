// Reads the register dump that Xen prints when it crashes a domain.
//
//   (XEN) d0v0 Unhandled: vec 14, #PF[0002]
//   (XEN) Domain 0 (vcpu#0) crashed on cpu#0:
//   (XEN) RIP:    e033:[<ffffffff8010103e>]
//   (XEN) rax: 0000001234567000   rbx: 0000000000000000   rcx: 000000000000000f
//   (XEN) Guest stack trace from rsp=ffffffff801d6f90:
//   (XEN)    000000000000000f 0000000000000000 0000000000000002 ffffffff8010103e

/// Finds the last crash of a domain in Xen's lines.
enum XenCrashParser {
  /// As many stack words as Xen prints, and some.
  private static let mostWords = 512

  /// The crash of `domain`; one that asked for it itself has no registers.
  static func parse(_ lines: [String], domain: Int) -> RawCrash? {
    let start = "Domain \(domain) "
    guard
      let head = lines.lastIndex(where: { $0.hasPrefix(start) && $0.contains(" crashed on cpu#") })
    else { return own(lines, domain: domain) }
    var crash = RawCrash(reason: reason(before: head, in: lines))
    var isStack = false
    for line in lines[(head + 1)...] {
      if line.hasPrefix("Hardware Dom0") { break }
      if line.hasPrefix("Guest stack trace") {
        isStack = true
      } else if isStack {
        let words = line.split(separator: " ").compactMap { Hex.value($0) }
        crash.stack += words.prefix(mostWords - crash.stack.count)
      } else {
        crash.registers += registers(in: line)
      }
    }
    return crash
  }

  private static func own(_ lines: [String], domain: Int) -> RawCrash? {
    if domain == 0, lines.contains(where: { $0.hasPrefix("Hardware Dom0 shutdown: watchdog") }) {
      return RawCrash(reason: "the guest's watchdog expired")
    }
    if let panic = lines.firstIndex(where: { $0.hasPrefix("Panic on CPU") }) {
      return RawCrash(reason: "Xen: " + (lines[(panic + 1)...].first ?? "panic"))
    }
    guard domain == 0, lines.contains(where: { $0.hasPrefix("Hardware Dom0 crashed") }) else {
      return nil
    }
    return RawCrash(reason: "the guest shut itself down with reason crash")
  }

  /// Xen says why in the lines just before; several may have a part in it.
  private static func reason(before head: Int, in lines: [String]) -> String {
    let nearby = lines[max(0, head - 12)..<head]
    let telling = nearby.last { line in
      line.contains("Unhandled") || line.contains("ouble fault") || line.contains("ad ")
        || line.contains("rror")
    }
    let called = nearby.last { $0.hasPrefix("domain_crash") }
    return telling ?? called ?? "the domain was crashed"
  }

  /// `name: value` pairs; RIP and selectors have forms of their own.
  private static func registers(in line: String) -> [RegisterValue] {
    if let rest = line.dropping(prefix: "RIP:") {
      guard let open = rest.firstIndex(of: "<"), let close = rest.firstIndex(of: ">"),
        open < close, let value = Hex.value(rest[rest.index(after: open)..<close])
      else { return [] }
      return [RegisterValue(name: "rip", value: value)]
    }
    var found: [RegisterValue] = []
    var name: String?
    for word in line.split(separator: " ") {
      if word.hasSuffix(":") {
        name = word.dropLast().lowercased()
      } else if let register = name, register != "cpu", register != "em",
        register != "context", let value = Hex.value(word)
      {
        found.append(RegisterValue(name: register, value: value))
        name = nil
      } else {
        name = nil
      }
    }
    return found
  }
}
