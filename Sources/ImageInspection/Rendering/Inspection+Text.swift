// The inspection as text for people: verdicts first, then notes, memory, and each fault with its cure.

extension Inspection {
  /// Some lines for each part.
  public var text: String {
    var lines = ["\(path): \(format)\(compression.map { ", compressed (\($0))" } ?? "")", ""]
    lines += ["Boot protocols"] + protocols.flatMap(\.lines)
    if !notes.isEmpty { lines += ["", "Notes"] + notes.map(\.line) }
    for layout in layouts { lines += [""] + layout.lines }
    if !findings.isEmpty { lines += ["", "Findings"] + merged.flatMap(\.lines) }
    lines += ["", boots ? "A loader boots this image." : "No protocol boots this image."]
    return lines.map(Self.printable).joined(separator: "\n") + "\n"
  }

  /// Findings that differ in the loader alone, as one.
  private var merged: [Finding] {
    var merged: [Finding] = []
    for finding in findings {
      let same = merged.firstIndex {
        var other = $0
        other.loaders = finding.loaders
        return other == finding
      }
      if let same {
        merged[same].loaders += finding.loaders
      } else {
        merged.append(finding)
      }
    }
    return merged
  }

  /// Names and texts come out of the file, and go to a terminal.
  private static func printable(_ line: String) -> String {
    var out = ""
    for scalar in line.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: out += "?"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

private func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(1, width - text.count))
}

extension ProtocolReport {
  fileprivate var lines: [String] {
    let at = entry.map { ", entry \(hexadecimal($0))" } ?? ""
    let head = "  " + padded(bootProtocol.rawValue, 12)
    guard isOffered else { return [head + "not offered: \(evidence)"] }
    return [head + evidence + at]
      + loaders.map { verdict in
        let by = verdict.rules.isEmpty ? "" : ": " + verdict.rules.joined(separator: ", ")
        return "    " + padded(verdict.loader.rawValue, 14) + verdict.outcome.rawValue + by
      }
  }
}

extension InspectedNote {
  fileprivate var line: String {
    let label = name ?? "\(owner) type \(type ?? 0)"
    let mark = use == .used ? "" : " (\(use.rawValue))"
    return "  " + padded(label, 34) + value.text + mark
  }
}

extension InspectedNote.Value {
  fileprivate var text: String {
    switch self {
    case .number(let number): hexadecimal(number)
    case .text(let text): "\"\(text.prefix(200))\""
    case .bytes(let bytes):
      bytes.prefix(20).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        + (bytes.count > 20 ? " ..." : "")
    }
  }
}

extension InitialLayout {
  fileprivate var lines: [String] {
    let head = "Memory as \(loader.rawValue) lays it out, \(pages) pages"
    let places = parts + [Part(name: "whole region", start: start, end: end)]
    return [head]
      + places.map {
        "  " + padded($0.name, 14) + "\(hexadecimal($0.start)) to \(hexadecimal($0.end))"
      }
      + ["  " + padded("entry", 14) + hexadecimal(entry)]
      + (hypercallPage.map { ["  " + padded("hypercalls", 14) + hexadecimal($0)] } ?? [])
  }
}

extension Finding {
  fileprivate var lines: [String] {
    [
      "  \(severity.rawValue): \(subject) [\(rule)] (\(bootProtocol.rawValue), "
        + loaders.map(\.rawValue).joined(separator: ", ") + ")",
      "    expected \(expected)", "    found    \(found)", "    cure     \(cure)",
    ]
  }
}
