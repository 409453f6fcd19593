// One result in SARIF: where it is in the source or else in the image, in which function, and what
// tells it from others across builds.

import Audit

extension SARIFReport {
  func write(_ entry: SARIFGathering.Entry, to json: inout JSONWriter) {
    let finding = entry.finding
    json.key("ruleId")
    json.string(finding.rule)
    json.key("ruleIndex")
    json.int(index(ofRule: finding.rule))
    json.key("level")
    json.string(finding.need.level)
    json.key("message")
    json.text(message(entry))
    json.key("locations")
    json.array { json in
      json.object { json in writeLocation(entry, to: &json) }
    }
    writeRelated(entry, to: &json)
    if !entry.fingerprint.isEmpty {
      json.key("partialFingerprints")
      json.object { json in
        json.key("xenograft/v1")
        json.string(entry.fingerprint)
        // The name that GitHub goes by; the number counts equal hashes, and ours are unique.
        json.key("primaryLocationLineHash")
        json.string(entry.fingerprint + ":1")
      }
    }
    if let state = finding.baselineState {
      json.key("baselineState")
      json.string(state.rawValue)
    }
    if let reason = finding.suppression {
      json.key("suppressions")
      json.array { json in
        json.object { json in
          json.key("kind")
          json.string("external")
          json.key("justification")
          json.string(reason)
        }
      }
    }
    json.key("properties")
    json.object { json in writeProperties(entry, to: &json) }
  }

  private func message(_ entry: SARIFGathering.Entry) -> String {
    let finding = entry.finding
    let holder = finding.shownFunction.map { " in " + $0 } ?? " in section " + finding.section
    var text = "'\(finding.instruction)'\(holder)"
    if entry.count > 1 {
      text += " and \(counted(entry.count - 1, "more")) of rule \(finding.rule)"
    }
    text += ": \(finding.need.clause(finding))."
    if finding.need > .nothing, let replacement = finding.replacement {
      text += " Write instead: \(replacement)."
    }
    return printable(text)
  }

  private func writeLocation(_ entry: SARIFGathering.Entry, to json: inout JSONWriter) {
    let finding = entry.finding
    json.key("physicalLocation")
    json.object { json in
      if let place = finding.sourcePlace, place.line > 0 {
        writeSource(place.file, place.line, to: &json)
      } else {
        json.key("artifactLocation")
        json.object { json in
          json.key("uri")
          json.string(fileURI(result.images[entry.image].path))
          json.key("index")
          json.int(entry.image)
        }
        // A binary has no lines, and services refuse a result without one.
        json.key("region")
        json.object { json in
          json.key("startLine")
          json.int(1)
          json.key("snippet")
          json.text("\(Hex.bytes(finding.bytes))  \(printable(finding.instruction))")
        }
      }
      json.key("address")
      json.object { json in writeAddress(finding, to: &json) }
    }
    json.key("logicalLocations")
    json.array { json in
      json.object { json in writeLogical(entry, to: &json) }
    }
  }

  private func writeSource(_ file: String, _ line: Int, to json: inout JSONWriter) {
    json.key("artifactLocation")
    json.object { json in
      json.key("uri")
      json.string(fileURI(file))
      if !file.hasPrefix("/") {
        json.key("uriBaseId")
        json.string("SRCROOT")
      }
    }
    json.key("region")
    json.object { json in
      json.key("startLine")
      json.int(line)
    }
  }

  private func writeAddress(_ finding: Finding, to json: inout JSONWriter) {
    json.key("absoluteAddress")
    json.unsigned(finding.address)
    json.key("length")
    json.int(finding.bytes.count)
    json.key("kind")
    json.string("instruction")
    json.key("name")
    json.address(finding.address)
    if let function = finding.function {
      var name = function
      if let offset = finding.offset { name += "+0x" + String(offset, radix: 16) }
      json.key("fullyQualifiedName")
      json.string(name)
    }
  }

  private func writeLogical(_ entry: SARIFGathering.Entry, to json: inout JSONWriter) {
    let finding = entry.finding
    let name = finding.shownFunction ?? finding.section
    json.key("name")
    json.string(name)
    json.key("fullyQualifiedName")
    json.string(baseName(result.images[entry.image].path) + "::" + name)
    json.key("kind")
    json.string(finding.shownFunction == nil ? "section" : "function")
  }

  /// Writes inlined frames, patch sites and gathered findings that have a line.
  private func writeRelated(_ entry: SARIFGathering.Entry, to json: inout JSONWriter) {
    var places: [(file: String, line: Int, text: String)] = []
    let finding = entry.finding
    for (index, frame) in finding.inlined.enumerated() {
      guard let file = frame.file, let line = frame.line else { continue }
      places.append((file, line, "\(index == 0 ? "in" : "inlined into") \(frame.function)"))
    }
    if !finding.inlined.isEmpty, let file = finding.file, let line = finding.line {
      places.append((file, line, "inlined into \(finding.function ?? finding.section)"))
    }
    for site in finding.sites.prefix(SARIFGathering.listed) {
      guard let file = site.file, let line = site.line else { continue }
      let function = site.function ?? Hex.address(site.address)
      places.append((file, line, "patched into \(function) if \(site.feature)"))
    }
    for other in entry.others {
      guard let place = other.sourcePlace else { continue }
      places.append((place.file, place.line, "'\(other.instruction)' here as well"))
    }
    // The schema wants each location once; a function inlined twice on one line gives equal ones.
    var seen: Set<String> = []
    places.removeAll { $0.line < 1 || !seen.insert("\($0.file):\($0.line):\($0.text)").inserted }
    guard !places.isEmpty else { return }
    json.key("relatedLocations")
    json.array { json in
      for place in places {
        json.object { json in
          json.key("physicalLocation")
          json.object { json in writeSource(place.file, place.line, to: &json) }
          json.key("message")
          json.text(printable(place.text))
        }
      }
    }
  }

  private func writeProperties(_ entry: SARIFGathering.Entry, to json: inout JSONWriter) {
    let finding = entry.finding
    json.key("class")
    json.string(finding.ruleClass.rawValue)
    json.key("disposition")
    json.string(finding.disposition.rawValue)
    json.key("liveness")
    json.string(finding.liveness.rawValue)
    json.key("section")
    json.string(finding.section)
    json.key("address")
    json.address(finding.address)
    json.key("bytes")
    json.hex(finding.bytes)
    json.key("instruction")
    json.string(finding.instruction)
    json.key("context")
    json.array { json in
      for context in finding.context { json.string(context.rawValue) }
    }
    if let executed = finding.executed {
      json.key("executed")
      json.int(executed)
    }
    if let profile = finding.profile {
      json.key("profile")
      json.string(profile.rawValue)
    }
    if entry.count > 1 {
      json.key("findings")
      json.int(entry.count)
    }
  }
}
