// The report as text for people, and as JSON for scripts.

public import ABIGenerator

extension BootReport {
  /// The document that scripts read.
  public var json: JSONValue {
    .compact([
      ("schema", .string("xenograft.inspect/1")), ("path", .string(path)),
      ("format", .string(format)), ("boots", .boolean(boots)),
      ("protocols", .array(verdicts.map(\.json))),
      (
        "notes",
        .array(
          notes.map { note in
            .compact([
              ("number", .integer(Int128(note.number))), ("name", note.name.map(JSONValue.string)),
              ("value", .string(note.value)), ("place", .string(note.place)),
            ])
          })
      ),
      (
        "layout",
        .array(
          layout.map { region in
            .compact([
              ("name", .string(region.name)), ("start", .string(hexadecimal(region.start))),
              ("end", .string(hexadecimal(region.end))),
            ])
          })
      ),
    ])
  }

  /// Notes, layout, and each protocol's verdict with every fault and its cure.
  public var text: String {
    var lines = ["\(path): \(format)"]
    for note in notes {
      lines.append("  note \(note.number) \(note.name ?? "unknown type"): \(note.value)")
    }
    for verdict in verdicts {
      let word = verdict.isAccepted ? "boots" : verdict.isOffered ? "refused" : "not offered"
      let entry = verdict.entry.map { ", entry \(hexadecimal($0))" } ?? ""
      lines.append("\(verdict.bootProtocol.rawValue): \(word)\(entry)")
      for finding in verdict.findings {
        lines.append(
          "  \(finding.severity.rawValue): \(finding.subject): expected \(finding.expected), "
            + "found \(finding.found)")
        lines.append("    cure: \(finding.cure)")
      }
    }
    if !layout.isEmpty {
      lines.append("initial memory as a PV guest:")
      for region in layout {
        lines.append("  \(hexadecimal(region.start)) - \(hexadecimal(region.end))  \(region.name)")
      }
    }
    lines.append(boots ? "verdict: boots" : "verdict: no protocol boots it")
    return lines.joined(separator: "\n") + "\n"
  }
}

extension BootVerdict {
  var json: JSONValue {
    .compact([
      ("name", .string(bootProtocol.rawValue)), ("offered", .boolean(isOffered)),
      ("accepted", .boolean(isAccepted)), ("entry", entry.map { .string(hexadecimal($0)) }),
      (
        "findings",
        .array(
          findings.map { finding in
            .compact([
              ("severity", .string(finding.severity.rawValue)),
              ("subject", .string(finding.subject)), ("expected", .string(finding.expected)),
              ("found", .string(finding.found)), ("cure", .string(finding.cure)),
            ])
          })
      ),
    ])
  }
}
