// Reads not-covered.yaml: what abi/ leaves out on purpose.

import Foundation
import Yams

/// The list of what abi/ leaves out, with reasons.
struct NotCovered: Decodable {
  struct Header: Decodable {
    var header: String
    var reason: String
  }

  /// A rule for names; both patterns must match the whole text.
  struct Names: Decodable {
    var header: String
    var match: String
    var reason: String

    func covers(_ name: String, in header: String) -> Bool {
      guard let headers = try? Regex(self.header), let names = try? Regex(match) else {
        return false
      }
      return header.wholeMatch(of: headers) != nil && name.wholeMatch(of: names) != nil
    }
  }

  var headers: [Header]
  var names: [Names]

  static func read() throws -> NotCovered {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("not-covered.yaml")
    return try YAMLDecoder().decode(NotCovered.self, from: Data(contentsOf: file))
  }
}
