// One finding in JSON: the contract's fields in the contract's order, then the extra ones. Absent
// values are null, except `executed`, `profile`, `baselineState` and `suppression`: these appear only where
// a trace, a baseline or a suppression file was given, or applies.

import Audit

extension JSONReport {
  func write(_ finding: Finding, to json: inout JSONWriter) {
    json.object { json in
      json.key("address")
      json.address(finding.address)
      json.key("section")
      json.string(finding.section)
      json.key("bytes")
      json.hex(finding.bytes)
      json.key("instruction")
      json.string(finding.instruction)
      json.key("rule")
      json.string(finding.rule)
      json.key("class")
      json.string(finding.ruleClass.rawValue)
      json.key("disposition")
      json.string(finding.disposition.rawValue)
      json.key("function")
      json.string(finding.function)
      json.key("offset")
      json.int(finding.offset.flatMap { Int(exactly: $0) })
      json.key("file")
      json.string(finding.file)
      json.key("line")
      json.int(finding.line)
      json.key("inlined")
      json.array { json in
        for frame in finding.inlined { write(frame, to: &json) }
      }
      json.key("context")
      json.array { json in
        for context in finding.context { json.string(context.rawValue) }
      }
      json.key("replacement")
      json.string(finding.replacement)
      json.key("guide")
      json.string(finding.guide)
      if let executed = finding.executed {
        json.key("executed")
        json.int(executed)
      }
      if let profile = finding.profile {
        json.key("profile")
        json.string(profile.rawValue)
      }
      writeExtras(of: finding, to: &json)
    }
  }

  private func writeExtras(of finding: Finding, to json: inout JSONWriter) {
    let rule = result.rules[finding.rule]
    json.key("kind")
    json.string(rule?.kind.rawValue)
    json.key("liveness")
    json.string(finding.liveness.rawValue)
    json.key("sites")
    json.array { json in
      for site in finding.sites {
        json.object { json in
          json.key("address")
          json.address(site.address)
          json.key("function")
          json.string(site.function)
          json.key("file")
          json.string(site.file)
          json.key("line")
          json.int(site.line)
          json.key("feature")
          json.string(site.feature)
        }
      }
    }
    json.key("fingerprint")
    json.string(finding.fingerprint)
    if let state = finding.baselineState {
      json.key("baselineState")
      json.string(state.rawValue)
    }
    if let reason = finding.suppression {
      json.key("suppression")
      json.string(reason)
    }
    json.key("title")
    json.string(rule?.title)
    json.key("why")
    json.string(rule?.outcomes[result.target]?.why)
  }

  private func write(_ frame: Frame, to json: inout JSONWriter) {
    json.object { json in
      json.key("function")
      json.string(frame.function)
      json.key("file")
      json.string(frame.file)
      json.key("line")
      json.int(frame.line)
    }
  }
}
