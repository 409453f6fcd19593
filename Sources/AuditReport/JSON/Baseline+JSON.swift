// Writes a baseline, one finding per line and in a fixed order, so that its changes read well in review.

public import Audit

extension Baseline {
  /// The contents of a baseline file.
  public func encoded() -> [UInt8] {
    var json = JSONWriter(capacity: 1 << 16)
    json.object { json in
      json.key("schema")
      json.string(Self.schema)
      json.key("target")
      json.string(target.rawValue)
      json.key("images")
      json.array { json in
        for (name, entries) in images.sorted(by: { $0.key < $1.key }) {
          json.newline(indent: 1)
          json.object { json in write(name, entries, to: &json) }
        }
      }
    }
    return json.bytes + [0x0A]
  }

  private func write(_ name: String, _ entries: [String: Entry], to json: inout JSONWriter) {
    json.key("name")
    json.string(name)
    json.key("findings")
    json.array { json in
      let sorted = entries.sorted { left, right in
        if left.value.rule != right.value.rule { return left.value.rule < right.value.rule }
        let (a, b) = (left.value.function ?? "", right.value.function ?? "")
        return a == b ? left.key < right.key : a < b
      }
      for (fingerprint, entry) in sorted {
        json.newline(indent: 2)
        json.object { json in
          json.key("fingerprint")
          json.string(fingerprint)
          json.key("rule")
          json.string(entry.rule)
          json.key("function")
          json.string(entry.function)
          if entry.count != 1 {
            json.key("count")
            json.int(entry.count)
          }
        }
      }
    }
  }
}
