// The SARIF 2.1.0 rendering: one run, with the rules, the images as artifacts, and a result per
// finding (SARIFReport+Result.swift). Code-scanning services keep 5,000 results of a run; above
// that, findings are gathered by rule and function (SARIFGathering.swift).

import Audit

/// Renders an audit as SARIF 2.1.0.
struct SARIFReport {
  let result: AuditResult
  let options: RenderOptions
  /// Results that a code-scanning service shows.
  static let shown = 5000
  /// Results that a code-scanning service takes at all.
  static let taken = 25_000
  /// Rule identifiers in the order of the driver's array.
  let ruleIDs: [String]
  private let ruleIndex: [String: Int]

  init(_ result: AuditResult, _ options: RenderOptions) {
    self.result = result
    self.options = options
    var ids = Set(result.rules.keys)
    for image in result.images {
      for finding in image.findings { ids.insert(finding.rule) }
    }
    ruleIDs = ids.sorted()
    ruleIndex = Dictionary(
      uniqueKeysWithValues: ruleIDs.enumerated().map { ($0.element, $0.offset) })
  }

  func index(ofRule id: String) -> Int { ruleIndex[id] ?? -1 }

  func render() -> [UInt8] {
    let gathered = SARIFGathering(result)
    var writer = JSONWriter(capacity: 4096 + gathered.entries.count * 2048)
    writer.object { json in
      json.key("$schema")
      json.string(
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
      )
      json.newline(indent: 1)
      json.key("version")
      json.string("2.1.0")
      json.newline(indent: 1)
      json.key("runs")
      json.array { json in
        json.object { json in writeRun(gathered, to: &json) }
      }
    }
    return writer.bytes + [0x0A]
  }

  private func writeRun(_ gathered: SARIFGathering, to json: inout JSONWriter) {
    json.key("tool")
    json.object { json in
      json.key("driver")
      json.object { json in writeDriver(to: &json) }
    }
    json.newline(indent: 2)
    json.key("automationDetails")
    json.object { json in
      json.key("id")
      json.string("xenograft-audit/\(result.target.rawValue)/")
    }
    json.newline(indent: 2)
    json.key("invocations")
    json.array { json in
      json.object { json in writeInvocation(gathered, to: &json) }
    }
    json.newline(indent: 2)
    json.key("originalUriBaseIds")
    json.object { json in
      json.key("SRCROOT")
      json.object { json in
        json.key("description")
        json.text("The root of the source tree that the images were built from.")
      }
    }
    json.newline(indent: 2)
    json.key("artifacts")
    json.array { json in
      for image in result.images {
        json.newline(indent: 3)
        json.object { json in writeArtifact(image, to: &json) }
      }
    }
    json.newline(indent: 2)
    json.key("columnKind")
    json.string("unicodeCodePoints")
    json.newline(indent: 2)
    json.key("results")
    json.array { json in
      for entry in gathered.entries {
        json.newline(indent: 3)
        json.object { json in write(entry, to: &json) }
      }
    }
  }

  private func writeDriver(to json: inout JSONWriter) {
    json.key("name")
    json.string("xenograft")
    json.key("version")
    json.string(options.toolVersion)
    json.key("fullName")
    json.string("xenograft audit, target \(result.target.rawValue)")
    json.key("rules")
    json.array { json in
      for id in ruleIDs {
        json.newline(indent: 3)
        json.object { json in writeRule(id, to: &json) }
      }
    }
  }

  private func writeArtifact(_ image: ImageResult, to json: inout JSONWriter) {
    json.key("location")
    json.object { json in
      json.key("uri")
      json.string(fileURI(image.path))
    }
    json.key("roles")
    json.array { $0.string("analysisTarget") }
    json.key("hashes")
    json.object { json in
      json.key("sha-256")
      json.string(image.sha256)
    }
    json.key("properties")
    json.object { json in
      json.key("format")
      json.string(image.format)
      json.key("bits")
      json.int(image.bits)
      if let buildID = image.buildID {
        json.key("buildID")
        json.string(buildID)
      }
      json.key("fixed")
      json.array { json in
        for fingerprint in image.fixed { json.string(fingerprint) }
      }
    }
  }

  private func writeInvocation(_ gathered: SARIFGathering, to json: inout JSONWriter) {
    var notes = result.images.flatMap { image in
      image.remarks.map { "\(printable(image.path)): \(printable($0))" }
    }
    for image in result.images where image.scanned.undecodable > 0 {
      let places = counted(image.scanned.undecodable, "place")
      notes.append("\(printable(image.path)): no instruction could be decoded in \(places)")
    }
    if gathered.isGathered { notes.append(gathered.note) }
    json.key("executionSuccessful")
    json.bool(true)
    json.key("toolExecutionNotifications")
    json.array { json in
      for note in notes {
        json.object { json in
          json.key("level")
          json.string("note")
          json.key("message")
          json.text(note)
        }
      }
    }
  }
}

extension JSONWriter {
  /// Writes a SARIF message.
  mutating func text(_ value: String) {
    object { json in
      json.key("text")
      json.string(value)
    }
  }
}

/// A file's path as a URI reference: absolute paths as `file:` URIs, relative ones as they are.
func fileURI(_ path: String) -> String {
  var path = Substring(path)
  while path.hasPrefix("./") { path = path.dropFirst(2) }
  var uri = ByteBuffer()
  if path.hasPrefix("/") { uri.append("file://") }
  for byte in path.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"),
      UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"):
      uri.append(byte: byte)
    default:
      uri.append("%")
      uri.append(hex: [byte])
    }
  }
  return String(decoding: uri.bytes, as: UTF8.self)
}
