// Names close to one that was mistyped, for hints.

/// Finds the names in a list that a person may have meant.
public enum NearNames {
  /// The best `count` candidates for `name`, nearest first; empty where none is near.
  public static func find(
    _ name: String, in candidates: some Sequence<String>, count: Int = 3
  ) -> [String] {
    let wanted = Array(name.lowercased().utf8.prefix(64))
    let allowed = max(1, wanted.count / 3)
    var scored: [(Int, String)] = []
    for candidate in Set(candidates) {
      let bytes = Array(candidate.lowercased().utf8.prefix(64))
      let distance = editDistance(wanted, bytes)
      if distance <= allowed {
        scored.append((distance, candidate))
      } else if wanted.count >= 4, contains(bytes, wanted) {
        scored.append((allowed + 1, candidate))
      }
    }
    return scored.sorted { $0 < $1 }.prefix(count).map { $0.1 }
  }

  /// A hint for a diagnostic; `nil` where no candidate is near.
  package static func hint(_ name: String, in candidates: some Sequence<String>) -> String? {
    let near = find(name, in: candidates)
    return near.isEmpty ? nil : "did you mean \(near.map { "`\($0)`" }.joined(separator: ", "))?"
  }

  private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard part.count <= text.count else { return false }
    return (0...(text.count - part.count)).contains { text[$0..<($0 + part.count)] == part[...] }
  }

  private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var previous = Array(0...right.count)
    for (row, leftByte) in left.enumerated() {
      var current = [row + 1]
      for (column, rightByte) in right.enumerated() {
        let change = previous[column] + (leftByte == rightByte ? 0 : 1)
        current.append(min(change, previous[column + 1] + 1, current[column] + 1))
      }
      previous = current
    }
    return previous[right.count]
  }
}
