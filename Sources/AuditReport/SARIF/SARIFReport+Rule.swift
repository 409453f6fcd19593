// A rule as SARIF describes it: what a code-scanning page shows beside a result.

import Audit

extension SARIFReport {
  func writeRule(_ id: String, to json: inout JSONWriter) {
    let rule = result.rules[id]
    let outcome = rule?.outcomes[result.target]
    json.key("id")
    json.string(id)
    json.key("name")
    json.string(pascalCase(id))
    json.key("shortDescription")
    json.text(rule?.title ?? id)
    json.key("fullDescription")
    json.text([rule?.summary, outcome?.why].compactMap(\.self).joined(separator: " ").orElse(id))
    if let base = options.guideBase, let guide = rule?.guide {
      json.key("helpUri")
      json.string(base + guide)
    }
    json.key("help")
    json.object { json in
      json.key("text")
      json.string(helpLines(id, rule, outcome, code: "").joined(separator: "\n"))
      json.key("markdown")
      json.string(helpLines(id, rule, outcome, code: "`").joined(separator: "\n\n"))
    }
    json.key("defaultConfiguration")
    json.object { json in
      json.key("level")
      json.string(level(of: outcome?.disposition))
    }
    json.key("properties")
    json.object { json in
      json.key("tags")
      json.array { json in
        json.string("porting")
        json.string("paravirtualization")
        if let rule { json.string(rule.ruleClass.rawValue) }
        if let outcome { json.string(outcome.disposition.rawValue) }
      }
      json.key("precision")
      json.string("very-high")
      json.key("problem.severity")
      json.string(severity(of: outcome?.disposition))
      if let source = rule?.source {
        json.key("source")
        json.string(source)
      }
    }
  }

  private func helpLines(
    _ id: String, _ rule: Rule?, _ outcome: RuleOutcome?, code: String
  ) -> [String] {
    guard let rule else { return [id] }
    var lines = [rule.title, rule.summary]
    if let outcome {
      let word = outcome.disposition.rawValue
      lines.append("Under \(result.target.rawValue): \(code)\(word)\(code). \(outcome.why)")
      if let replacement = outcome.replacement {
        lines.append("Write instead: \(code)\(replacement)\(code)")
      }
    }
    lines.append("Guide: \(code)\(rule.guide)\(code)")
    lines.append("Source: \(rule.source)")
    return lines
  }

  private func level(of disposition: Disposition?) -> String {
    switch disposition {
    case .replace, .silent: "error"
    case .emulated: "warning"
    case .native, .unreachable: "note"
    case nil: "warning"
    }
  }

  private func severity(of disposition: Disposition?) -> String {
    switch disposition {
    case .replace, .silent: "error"
    case .emulated, nil: "warning"
    case .native, .unreachable: "recommendation"
    }
  }

  /// `mov-to-cr3` as `MovToCr3`.
  private func pascalCase(_ id: String) -> String {
    id.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
}

extension String {
  fileprivate func orElse(_ other: String) -> String { isEmpty ? other : self }
}
