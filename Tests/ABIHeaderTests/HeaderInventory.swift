// What Xen's headers define: the other half of the comparison, which finds what abi/ lacks.

import ABISchema
import Foundation

/// Names that the installed headers define, each with its header.
struct HeaderInventory {
  /// Object-like macros with a value, and enumeration constants.
  private(set) var constants: [String: String] = [:]
  /// Tags of structures and unions, and typedefs of ones without a tag.
  private(set) var structures: [String: String] = [:]
  /// The headers that were read.
  private(set) var headers: Set<String> = []

  /// Adds what preprocessed text with line markers defines.
  mutating func read(_ text: String) {
    var header: String?
    var code = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("# ") {
        let place = line.split(separator: "\"", maxSplits: 2)
        let next = place.count > 1 ? Self.header(String(place[1])) : nil
        if next != header {
          if let header { readCode(code, header) }
          code = ""
        }
        header = next
        if let next { headers.insert(next) }
      } else if line.hasPrefix("#define ") {
        if let header { readMacro(line, header) }
      } else if !line.hasPrefix("#"), header != nil {
        code += line + "\n"
      }
    }
    if let header { readCode(code, header) }
  }

  /// The path below `xen/`, or `nil` for a file that is not Xen's.
  private static func header(_ path: String) -> String? {
    let root = XenHeaders.includeFolder + "/xen/"
    guard path.hasPrefix(root) else { return nil }
    // Includes between the headers give paths such as `io/../grant_table.h`.
    return String(URL(fileURLWithPath: path).standardized.path.dropFirst(root.count))
  }

  private mutating func readMacro(_ line: Substring, _ header: String) {
    let words = line.split(separator: " ", maxSplits: 2)
    guard words.count == 3, !words[1].contains("(") else { return }
    constants[String(words[1])] = constants[String(words[1])] ?? header
  }

  private mutating func readCode(_ code: String, _ header: String) {
    for match in code.matches(of: /\b(?:struct|union)\s+(\w+)\s*\{/) {
      structures[String(match.1)] = structures[String(match.1)] ?? header
    }
    for match in code.matches(of: /\benum(?:\s+\w+)?\s*\{([^}]*)\}/) {
      for item in match.1.split(separator: ",") {
        let name = item.split(separator: "=")[0].trimmingCharacters(in: .whitespacesAndNewlines)
        if !name.isEmpty { constants[name] = header }
      }
    }
  }
}
