// A diagnosis for people.

import Harness

extension Diagnosis {
  /// The text, with a newline at its end.
  public var text: String {
    var lines = ["xenograft \(version) on \(system), \(processors) processors", ""]
    lines += ["What can be done here:", ""]
    lines += Self.table(outcomes.map(row))
    let notes = outcomes.flatMap { outcome in
      outcome.notes.map { "\(outcome.activity.name): \($0)" }
    }
    if !notes.isEmpty { lines += [""] + notes.map { "  \($0)" } }
    let lacking = things.filter(\.state.isLacking)
    if !lacking.isEmpty {
      lines += ["", "What is missing:", ""]
      lines += Self.table(lacking.map { [$0.need.name, cure($0)] })
    }
    if !packagesToInstall.isEmpty {
      lines += ["", "As root, for all of it:", ""]
      lines += Self.folded(
        ["apt-get install --no-install-recommends"] + packagesToInstall, continued: " \\")
    }
    lines += ["", "What was found:", ""]
    lines += Self.table(
      things.filter { $0.state == .found || $0.state == .unknown }.map { thing in
        [thing.need.name, thing.version?.description ?? "", found(thing)]
      })
    lines += ["", "The machine:", ""]
    lines += Self.table(machineRows)
    lines += ["", verdict]
    return lines.joined(separator: "\n") + "\n"
  }

  private func row(_ outcome: Outcome) -> [String] {
    [
      outcome.lacking.isEmpty ? "yes" : "no", outcome.activity.name,
      outcome.lacking.isEmpty ? "" : "lacks " + Self.list(outcome.lacking.map(\.name)),
    ]
  }

  /// What to do about a thing that is missing.
  private func cure(_ thing: Thing) -> String {
    var text =
      switch thing.need.cure {
      case .packages(let names) where !names.isEmpty:
        "Debian package: \(names.joined(separator: ", "))"
      case .packages:
        thing.packages.count > 3
          ? "\(thing.packages.count) Debian packages" : thing.packages.joined(separator: ", ")
      case .other(let text): text
      }
    if thing.state == .unfit { text = "\(thing.path ?? ""): \(thing.note ?? ""); " + text }
    return text
  }

  private func found(_ thing: Thing) -> String {
    guard let path = thing.path else { return thing.note ?? "" }
    return thing.note.map { "\(path) (\($0))" } ?? path
  }

  private var machineRows: [[String]] {
    var rows = [["KVM", acceleration.explanation]]
    if let memory {
      rows.append(["memory", "\(Self.size(memory.available)) of \(Self.size(memory.total)) free"])
    }
    for disk in disks {
      rows.append(["disk", "\(Self.size(disk.free)) free in \(disk.path) (\(disk.use))"])
    }
    return rows
  }

  private var verdict: String {
    impossible.isEmpty
      ? "All main commands can be used."
      : "These main commands cannot be used: \(impossible.joined(separator: "; "))."
  }

  /// In MiB, or in GiB from ten of them.
  private static func size(_ bytes: UInt64) -> String {
    bytes >= 10 << 30 ? "\(bytes >> 30) GiB" : "\(bytes >> 20) MiB"
  }

  private static func list(_ names: [String]) -> String { names.joined(separator: ", ") }

  /// Columns as wide as their widest cell; the last one ends where it ends.
  private static func table(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        cell + String(repeating: " ", count: widths[column] - cell.count)
      }
      return String(("  " + cells.joined(separator: "  ")).trimmingSuffix { $0 == " " })
    }
  }

  /// Words in lines of at most 96 characters.
  private static func folded(_ words: [String], continued: String) -> [String] {
    var lines: [String] = []
    var line = " "
    for word in words {
      if line.count + 1 + word.count > 96 {
        lines.append(line + continued)
        line = "   "
      }
      line += " " + word
    }
    return lines + [line]
  }
}

extension StringProtocol {
  fileprivate func trimmingSuffix(_ isCut: (Character) -> Bool) -> SubSequence {
    var rest = self[...]
    while let last = rest.last, isCut(last) { rest.removeLast() }
    return rest
  }
}

extension HardwareAcceleration {
  /// Why `--accel auto` does what it does.
  var explanation: String {
    switch self {
    case .usable: "used: --accel auto takes it"
    case .noDevice: "not used: there is no \(Self.device); --accel auto takes TCG, which is slower"
    case .noPermission:
      "not used: this user may not read and write \(Self.device) (join the group kvm); "
        + "--accel auto takes TCG"
    case .noProcessorSupport:
      "not used: \(Self.device) is there, and the processor has neither vmx nor svm; "
        + "--accel auto takes TCG"
    }
  }
}
