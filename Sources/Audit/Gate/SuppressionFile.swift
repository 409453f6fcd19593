// Reads a suppression file:
//
//     suppressions:
//       - rule: out            # patterns with * and ?; at least one of rule, function, file,
//         function: early_*    # section and instruction
//         reason: The debug port, compiled out of releases
//         expires: 2027-01-31  # optional, the last day

import Foundation
import Yams

/// The entries of a suppression file.
public struct SuppressionFile: Sendable, Equatable {
  public var suppressions: [Suppression]

  private static let sizeLimit = 1 << 20
  private static let keys = [
    "rule", "function", "file", "section", "instruction", "reason", "expires",
  ]

  /// Reads a suppression file.
  public init(path: String) throws(GateFileError) {
    try self.init(path: path, bytes: readGateFile(path, limit: Self.sizeLimit))
  }

  /// Reads the bytes of a suppression file; `path` is for errors.
  public init(path: String, bytes: [UInt8]) throws(GateFileError) {
    let root = try Self.compose(path, bytes)
    suppressions = []
    guard let root else { return }
    let reader = YAMLReader(path: path)
    for (key, value) in try reader.mapping(root, "a mapping with 'suppressions'") {
      guard try reader.text(key) == "suppressions" else {
        throw reader.fault("the key 'suppressions'", at: key)
      }
      // A key with nothing below it is a list without entries.
      if case .scalar(let scalar) = value, scalar.string.isEmpty { continue }
      guard case .sequence(let items) = value else { throw reader.fault("a list", at: value) }
      for item in items { suppressions.append(try Self.entry(item, reader)) }
    }
  }

  /// Today's date in UTC, as `expires` is written.
  public static func today() -> String {
    String(Date.now.formatted(.iso8601).prefix(10))
  }

  private static func compose(_ path: String, _ bytes: [UInt8]) throws(GateFileError) -> Node? {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw GateFileError(path: path, line: 1, column: 1, expected: "UTF-8", found: "other bytes")
    }
    do {
      return try Yams.compose(yaml: text)
    } catch let error as YamlError {
      throw YAMLReader(path: path).fault(error)
    } catch {
      throw GateFileError(path: path, line: 1, column: 1, expected: "YAML", found: "\(error)")
    }
  }

  private static func entry(
    _ node: Node, _ reader: YAMLReader
  ) throws(GateFileError) -> Suppression {
    var texts: [String: String] = [:]
    for (key, value) in try reader.mapping(node, "a mapping") {
      let name = try reader.text(key)
      guard keys.contains(name) else {
        throw reader.fault("one of " + keys.joined(separator: ", "), at: key)
      }
      let text = try reader.text(value)
      guard !text.isEmpty else { throw reader.fault("a text for '\(name)'", at: value) }
      if name == "expires", !isDate(text) {
        throw reader.fault("a date as YYYY-MM-DD", at: value)
      }
      texts[name] = text
    }
    guard let reason = texts["reason"] else {
      throw reader.fault("an entry with 'reason'", at: node)
    }
    guard keys.prefix(5).contains(where: { texts[$0] != nil }) else {
      throw reader.fault("one of " + keys.prefix(5).joined(separator: ", "), at: node)
    }
    var entry = Suppression(reason: reason, line: node.mark?.line ?? 0)
    entry.rule = texts["rule"]
    entry.function = texts["function"]
    entry.file = texts["file"]
    entry.section = texts["section"]
    entry.instruction = texts["instruction"]
    entry.expires = texts["expires"]
    return entry
  }

  private static func isDate(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == [4, 2, 2],
      parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let month = Int(parts[1]), let day = Int(parts[2])
    else { return false }
    return (1...12).contains(month) && (1...31).contains(day)
  }
}

/// Access to YAML nodes with located errors.
private struct YAMLReader {
  let path: String

  func fault(_ expected: String, at node: Node) -> GateFileError {
    let found =
      switch node {
      case .scalar(let scalar): "'\(scalar.string.prefix(40))'"
      case .mapping: "a mapping without"
      case .sequence: "a list"
      case .alias: "an alias"
      }
    return GateFileError(
      path: path, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0, expected: expected,
      found: found)
  }

  func fault(_ error: YamlError) -> GateFileError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      GateFileError(
        path: path, line: mark.line, column: mark.column, expected: "YAML", found: problem)
    case .duplicatedKeysInMapping(let keys, let context):
      GateFileError(
        path: path, line: context.mark.line, column: context.mark.column,
        expected: "each key once", found: keys.map { "'\($0)'" }.joined(separator: ", ") + " again")
    default:
      GateFileError(path: path, line: 1, column: 1, expected: "YAML", found: "\(error)")
    }
  }

  func mapping(_ node: Node, _ expected: String) throws(GateFileError) -> Node.Mapping {
    guard case .mapping(let mapping) = node else { throw fault(expected, at: node) }
    return mapping
  }

  func text(_ node: Node) throws(GateFileError) -> String {
    guard case .scalar(let scalar) = node else { throw fault("a text", at: node) }
    return scalar.string
  }
}
