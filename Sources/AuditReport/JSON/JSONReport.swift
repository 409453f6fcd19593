// The JSON rendering: the contract of `xenograft audit --format json`, schema xenograft.audit/1.
// One finding per line, so that `grep` and `diff` are of use on it as well.

import Audit

/// Renders an audit as JSON.
struct JSONReport {
  let result: AuditResult

  init(_ result: AuditResult) {
    self.result = result
  }

  func render() -> [UInt8] {
    let count = result.images.reduce(0) { $0 + $1.findings.count }
    var writer = JSONWriter(capacity: 4096 + count * 1024)
    writer.object { json in
      json.key("schema")
      json.string("xenograft.audit/1")
      json.newline(indent: 1)
      json.key("target")
      json.string(result.target.rawValue)
      json.newline(indent: 1)
      json.key("images")
      json.array { json in
        for image in result.images {
          json.newline(indent: 2)
          write(image, to: &json)
        }
      }
      json.newline(indent: 1)
      json.key("rules")
      writeRules(to: &json)
    }
    return writer.bytes + [0x0A]
  }

  private func write(_ image: ImageResult, to json: inout JSONWriter) {
    json.object { json in
      json.key("path")
      json.string(image.path)
      json.key("format")
      json.string(image.format)
      json.key("bits")
      json.int(image.bits)
      json.key("buildID")
      json.string(image.buildID)
      json.key("sha256")
      json.string(image.sha256)
      json.newline(indent: 3)
      json.key("scanned")
      write(image.scanned, to: &json)
      json.newline(indent: 3)
      json.key("summary")
      write(Summary(image.findings), fixed: image.fixed.count, to: &json)
      json.newline(indent: 3)
      json.key("findings")
      json.array { json in
        for finding in image.findings {
          json.newline(indent: 4)
          write(finding, to: &json)
        }
      }
      json.newline(indent: 3)
      json.key("remarks")
      json.array { json in
        for remark in image.remarks { json.string(remark) }
      }
      json.key("fixed")
      json.array { json in
        for fingerprint in image.fixed { json.string(fingerprint) }
      }
    }
  }

  private func write(_ totals: ScanTotals, to json: inout JSONWriter) {
    json.object { json in
      json.key("bytes")
      json.int(totals.bytes)
      json.key("instructions")
      json.int(totals.instructions)
      json.key("undecodable")
      json.int(totals.undecodable)
      json.key("seconds")
      json.milliseconds(ofSeconds: totals.seconds)
      json.key("traps")
      write(totals.traps, to: &json)
      json.key("undecodableAt")
      json.array { json in
        for place in totals.undecodableAt {
          json.object { json in
            json.key("section")
            json.string(place.section)
            json.key("address")
            json.address(place.address)
            json.key("bytes")
            json.hex(place.bytes)
            json.key("function")
            json.string(place.function)
          }
        }
      }
    }
  }

  private func write(_ summary: Summary, fixed: Int, to json: inout JSONWriter) {
    json.object { json in
      json.key("findings")
      json.int(summary.findings)
      json.key("byClass")
      write(summary.byClass, keys: RuleClass.allCases.map(\.rawValue), to: &json)
      json.key("byDisposition")
      write(summary.byDisposition, keys: Disposition.allCases.map(\.rawValue), to: &json)
      json.key("byRule")
      write(summary.byRule, to: &json)
      json.key("bySection")
      write(summary.bySection, to: &json)
      json.key("byContext")
      write(summary.byContext, to: &json)
      json.key("byLiveness")
      write(summary.byLiveness, keys: Liveness.allCases.map(\.rawValue), to: &json)
      json.key("suppressed")
      json.int(summary.suppressed)
      json.key("new")
      json.int(summary.new)
      json.key("fixed")
      json.int(fixed)
    }
  }

  /// Writes counts under `keys`, zeros too; without `keys`, those that are there, sorted.
  private func write(_ counts: [String: Int], keys: [String]? = nil, to json: inout JSONWriter) {
    json.object { json in
      for key in keys ?? counts.keys.sorted() {
        json.key(text: key)
        json.int(counts[key] ?? 0)
      }
    }
  }

  private func writeRules(to json: inout JSONWriter) {
    json.object { json in
      for (id, rule) in result.rules.sorted(by: { $0.key < $1.key }) {
        let outcome = rule.outcomes[result.target]
        json.newline(indent: 2)
        json.key(text: id)
        json.object { json in
          json.key("title")
          json.string(rule.title)
          json.key("class")
          json.string(rule.ruleClass.rawValue)
          json.key("kind")
          json.string(rule.kind.rawValue)
          json.key("disposition")
          json.string(outcome?.disposition.rawValue)
          json.key("summary")
          json.string(rule.summary)
          json.key("why")
          json.string(outcome?.why)
          json.key("replacement")
          json.string(outcome?.replacement)
          json.key("guide")
          json.string(rule.guide)
          json.key("source")
          json.string(rule.source)
        }
      }
    }
  }
}
