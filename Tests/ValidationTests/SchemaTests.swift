// The schema for editors and the decoder know the same keys and the same names.

import Foundation
import Testing

@testable import Validation

@Suite struct SchemaTests {
  private typealias Object = [String: Any]

  private func schema() throws -> Object {
    try #require(
      try JSONSerialization.jsonObject(with: Data(PortSchema.json)) as? Object)
  }

  private func keys(_ object: Any?) -> Set<String> {
    Set(((object as? Object)?["properties"] as? Object ?? [:]).keys)
  }

  /// The object among the alternatives of a value.
  private func object(_ value: Any?) -> Object? {
    guard let value = value as? Object else { return nil }
    if value["properties"] != nil { return value }
    let inner = value["items"].map { [$0] } ?? value["anyOf"] as? [Any] ?? []
    return inner.lazy.compactMap { object($0) }.first
  }

  @Test func keys_areThoseOfTheDecoder() throws {
    let schema = try schema()
    #expect(keys(schema) == Set(PortKeys.top))
    let properties = try #require(schema["properties"] as? Object)
    #expect(keys(object(properties["build"])) == Set(PortKeys.build))
    #expect(keys(object(properties["disks"])) == Set(PortKeys.disk))
    let definitions = try #require(schema["$defs"] as? Object)
    #expect(keys(object(definitions["pattern"])) == Set(PortKeys.pattern))
    let checks = definitions.keys.filter { $0.hasPrefix("check-") }
    #expect(Set(checks) == Set(CheckKind.allCases.map { "check-" + $0.rawValue }))
    for kind in CheckKind.allCases {
      let definition = definitions["check-" + kind.rawValue] as? Object
      #expect(
        keys(definition) == Set(PortKeys.ofEveryCheck + kind.keys), "\(kind.rawValue)")
    }
    let strict = (definitions["check-strict"] as? Object)?["properties"] as? Object
    #expect(keys(object(strict?["allow"])) == Set(PortKeys.allow))
  }

  /// A check that the schema lets stand as a name alone is one that the decoder takes so, and the
  /// reverse.
  @Test func checksWithoutOptions_areTheDecoders() throws {
    let properties = try #require(try schema()["properties"] as? Object)
    let items = try #require((properties["checks"] as? Object)?["items"] as? Object)
    let first = try #require((items["anyOf"] as? [Object])?.first)
    let names = try #require(first["enum"] as? [String])
    for kind in CheckKind.allCases {
      let text =
        "kernel: k\ndisks: [{size: 1}]\nnetwork: true\nchecks: [\(kind.rawValue)]"
      let isTaken = PortReader.read(text, file: "PORT.yaml").port != nil
      #expect(isTaken == names.contains(kind.rawValue), "\(kind.rawValue)")
    }
  }

  /// Names that a value is chosen from are the decoder's, too.
  @Test func choices_areTheDecoders() throws {
    let definitions = try #require(try schema()["$defs"] as? Object)
    func choices(_ kind: CheckKind, _ key: String) -> [String]? {
      let properties = (definitions["check-" + kind.rawValue] as? Object)?["properties"] as? Object
      return (properties?[key] as? Object)?["enum"] as? [String]
    }
    #expect(choices(.powersOff, "end") == GuestEnd.allCases.map(\.rawValue))
    #expect(choices(.network, "protocol") == NetworkCheck.Transport.allCases.map(\.rawValue))
    #expect(choices(.time, "unit") == TimeCheck.Unit.allCases.map(\.rawValue))
    #expect(choices(.restart, "device") == FaultDevice.allCases.map(\.rawValue))
    #expect(choices(.inspect, "protocol") != nil && choices(.audit, "target") != nil)
  }

  /// The guide tells of every key.
  @Test func guide_hasEveryKindAndKey() throws {
    let guide = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../guides/validate.md")
    let text = try String(contentsOf: guide, encoding: .utf8)
    for kind in CheckKind.allCases {
      let row = try #require(
        text.split(separator: "\n").first { $0.hasPrefix("| `\(kind.rawValue)` |") }, "\(kind)")
      for key in kind.keys { #expect(row.contains("`\(key)"), "\(kind.rawValue): \(key)") }
    }
    for key in PortKeys.top { #expect(text.contains("\n\(key):"), "\(key)") }
    for group in FaultGroup.allCases { #expect(text.contains("`\(group.rawValue)`")) }
  }

  /// The port that the guide shows is one.
  @Test func guide_showsAPort() throws {
    let guide = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../guides/validate.md")
    let text = try String(contentsOf: guide, encoding: .utf8)
    let begin = try #require(text.firstRange(of: "```yaml\nname: mykernel"))
    let rest = text[begin.lowerBound...].dropFirst("```yaml\n".count)
    let end = try #require(rest.firstRange(of: "```"))
    let result = PortReader.read(String(rest[..<end.lowerBound]), file: "PORT.yaml")
    #expect(result.port?.checks.count == 2, "\(result.diagnostics)")
  }
}
