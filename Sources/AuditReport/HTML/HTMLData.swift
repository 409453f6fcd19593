// The findings as the page reads them: each an array of numbers, with every text once in a table.
// A kernel's findings share most of their texts, so that this is a tenth of the plain JSON.

import Audit

/// Writes the page's data.
struct HTMLData {
  private let result: AuditResult
  private var indices: [String: Int] = [:]
  private var strings: [String] = []

  init(_ result: AuditResult) {
    self.result = result
  }

  /// The document; page.js names the fields of a row in the same order.
  mutating func json() -> [UInt8] {
    var rows = JSONWriter(capacity: 1 << 20)
    rows.array { rows in
      for (index, image) in result.images.enumerated() {
        for finding in image.findings {
          rows.newline(indent: 0)
          write(finding, image: index, to: &rows)
        }
      }
    }
    var json = JSONWriter(capacity: 1 << 20)
    json.object { json in
      json.key("target")
      json.string(result.target.rawValue)
      json.key("images")
      json.array { json in
        for image in result.images { write(image, to: &json) }
      }
      json.key("rules")
      writeRules(to: &json)
      json.key("strings")
      json.array { json in
        for text in strings { json.string(text) }
      }
      json.key("findings")
      json.raw(rows.bytes)
    }
    return json.bytes
  }

  private mutating func index(_ text: String?) -> Int {
    guard let text else { return -1 }
    if let index = indices[text] { return index }
    indices[text] = strings.count
    strings.append(text)
    return strings.count - 1
  }

  private mutating func write(_ finding: Finding, image: Int, to json: inout JSONWriter) {
    let place = finding.sourcePlace
    let address = String(Hex.address(finding.address).dropFirst(2))
    let row = [
      image, index(address), index(finding.section), index(Hex.bytes(finding.bytes)),
      index(finding.instruction), index(finding.rule), index(finding.ruleClass.rawValue),
      index(finding.disposition.rawValue), index(finding.need.label),
      index(finding.liveness.rawValue), index(finding.function),
      finding.offset.flatMap { Int(exactly: $0) } ?? -1, index(place?.file), place?.line ?? -1,
      index(finding.file), finding.line ?? -1,
      index(finding.context.map(\.rawValue).joined(separator: ", ")), index(finding.replacement),
      index(finding.guide), finding.executed ?? -1, index(finding.baselineState?.rawValue),
      index(finding.suppression), index(finding.fingerprint), index(finding.profile?.title),
    ]
    let frames = finding.inlined.map { [index($0.function), index($0.file), $0.line ?? -1] }
    let sites = finding.sites.map { site in
      [
        index(String(Hex.address(site.address).dropFirst(2))), index(site.function),
        index(site.file), site.line ?? -1, index(site.feature),
      ]
    }
    let directory = index(finding.directory)
    json.array { json in
      for value in row { json.int(value) }
      Self.write(frames, to: &json)
      Self.write(sites, to: &json)
      json.int(directory)
    }
  }

  private static func write(_ rows: [[Int]], to json: inout JSONWriter) {
    guard !rows.isEmpty else { return json.int(0) }
    json.array { json in
      for row in rows {
        json.array { json in
          for value in row { json.int(value) }
        }
      }
    }
  }

  private func write(_ image: ImageResult, to json: inout JSONWriter) {
    let scanned = image.scanned
    var facts = [
      ("format", "\(image.format), \(image.bits)-bit"), ("sha256", image.sha256),
      ("scanned", "\(grouped(scanned.bytes)) bytes, \(grouped(scanned.instructions)) instructions"),
      ("undecodable", counted(scanned.undecodable, "place")),
    ]
    if let buildID = image.buildID { facts.insert(("build id", buildID), at: 1) }
    for place in scanned.undecodableAt.prefix(20) {
      let function = place.function.map { " in " + $0 } ?? ""
      facts.append(
        ("", "\(place.section) \(Hex.address(place.address)) \(Hex.bytes(place.bytes))\(function)"))
    }
    let traps = scanned.traps.sorted { $0.key < $1.key }.map { "\(grouped($0.value)) \($0.key)" }
    if !traps.isEmpty { facts.append(("counted, not listed", traps.joined(separator: ", "))) }
    if !image.fixed.isEmpty { facts.append(("fixed", counted(image.fixed.count, "finding"))) }
    for remark in image.remarks { facts.append(("note", remark)) }
    json.object { json in
      json.key("path")
      json.string(image.path)
      json.key("facts")
      json.array { json in
        for (title, value) in facts {
          json.array { json in
            json.string(title)
            json.string(value)
          }
        }
      }
    }
  }

  private func writeRules(to json: inout JSONWriter) {
    json.object { json in
      for (id, rule) in result.rules.sorted(by: { $0.key < $1.key }) {
        json.key(text: id)
        json.object { json in
          json.key("title")
          json.string(rule.title)
          json.key("summary")
          json.string(rule.summary)
          json.key("why")
          json.string(rule.outcomes[result.target]?.why)
          json.key("source")
          json.string(rule.source)
        }
      }
    }
  }
}
