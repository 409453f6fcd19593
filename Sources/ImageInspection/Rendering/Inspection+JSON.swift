// The inspection as JSON for scripts; guides/inspect.md has the schema.

public import ABIGenerator

extension Inspection {
  /// The document of schema `xenograft.inspect/1`.
  public var json: JSONValue {
    .compact([
      ("schema", .string("xenograft.inspect/1")), ("path", .string(path)),
      ("format", .string(format)), ("compression", compression.map(JSONValue.string) ?? .null),
      ("boots", .boolean(boots)), ("protocols", .array(protocols.map(\.json))),
      ("notes", .array(notes.map(\.json))), ("layouts", .array(layouts.map(\.json))),
      ("findings", .array(findings.map(\.json))),
    ])
  }
}

private func address(_ value: UInt64) -> JSONValue { .string(hexadecimal(value)) }

extension ProtocolReport {
  fileprivate var json: JSONValue {
    .compact([
      ("name", .string(bootProtocol.rawValue)), ("offered", .boolean(isOffered)),
      ("evidence", .string(evidence)), ("entry", entry.map(address) ?? .null),
      ("boots", .boolean(boots)), ("loaders", .array(loaders.map(\.json))),
    ])
  }
}

extension LoaderVerdict {
  fileprivate var json: JSONValue {
    .compact([
      ("name", .string(loader.rawValue)), ("verdict", .string(outcome.rawValue)),
      ("rules", .array(rules.map(JSONValue.string))),
    ])
  }
}

extension InspectedNote {
  fileprivate var json: JSONValue {
    .compact([
      ("name", name.map(JSONValue.string) ?? .null), ("owner", .string(owner)),
      ("type", type.map { .integer(Int128($0)) } ?? .null), ("value", value.json),
      ("size", .integer(Int128(size))), ("offset", address(offset)), ("source", .string(source)),
      ("use", .string(use.rawValue)),
    ])
  }
}

extension InspectedNote.Value {
  fileprivate var json: JSONValue {
    switch self {
    case .number(let number): address(number)
    case .text(let text): .string(text)
    case .bytes(let bytes): .array(bytes.map { .integer(Int128($0)) })
    }
  }
}

extension InitialLayout {
  fileprivate var json: JSONValue {
    .compact([
      ("loader", .string(loader.rawValue)), ("pages", .integer(Int128(pages))),
      ("start", address(start)), ("end", address(end)), ("entry", address(entry)),
      ("hypercallPage", hypercallPage.map(address) ?? .null),
      ("pageTableFrames", .integer(Int128(pageTableFrames))),
      (
        "parts",
        .array(
          parts.map {
            .compact([
              ("name", .string($0.name)), ("start", address($0.start)), ("end", address($0.end)),
            ])
          })
      ),
    ])
  }
}

extension Finding {
  fileprivate var json: JSONValue {
    .compact([
      ("rule", .string(rule)), ("severity", .string(severity.rawValue)),
      ("protocol", .string(bootProtocol.rawValue)),
      ("loaders", .array(loaders.map { .string($0.rawValue) })), ("subject", .string(subject)),
      ("expected", .string(expected)), ("found", .string(found)), ("cure", .string(cure)),
    ])
  }
}
