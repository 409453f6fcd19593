// Patterns of paths: `*` and `?` stay within a segment, `**` does not.

/// A pattern that paths are matched with.
///
/// A pattern without a slash is matched with the last segment, wherever the file stands; one that
/// ends in a slash with everything below; others with the whole path from the root.
public struct Glob: Sendable, Hashable {
  private enum Token: Sendable, Hashable {
    case byte(UInt8)
    /// `?`
    case any
    /// `*`
    case run
    /// `**`: anything.
    case tree
    /// `**/`: nothing, or segments with the slash after them.
    case segments
    case set([ClosedRange<UInt8>], isNegated: Bool)
  }

  /// As it was written.
  public let text: String
  private let tokens: [Token]
  private let matchesName: Bool

  /// Longer patterns are refused, so that matching has a limit.
  static let longest = 512

  /// Reads a pattern; `nil` where it is empty or longer than any path.
  public init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= Self.longest else { return nil }
    self.text = text
    var bytes = Array(text.utf8)
    matchesName = !bytes.contains(0x2F)
    if bytes.last == 0x2F { bytes += Array("**".utf8) }
    if bytes.first == 0x2F { bytes.removeFirst() }
    tokens = Self.tokens(bytes)
  }

  /// Whether every path matches.
  public var isCatchAll: Bool {
    tokens == [.tree] || tokens == [.run] && matchesName
      || tokens == [.segments, .run]
  }

  private static func tokens(_ bytes: [UInt8]) -> [Token] {
    var result: [Token] = []
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      let startsSegment = index == 0 || bytes[index - 1] == 0x2F
      if byte == UInt8(ascii: "*"), index + 1 < bytes.count, bytes[index + 1] == byte {
        if startsSegment, index + 2 < bytes.count, bytes[index + 2] == 0x2F {
          result.append(.segments)
          index += 3
        } else {
          result.append(.tree)
          index += 2
        }
        continue
      }
      if byte == UInt8(ascii: "["), let (set, end) = set(bytes, from: index) {
        result.append(set)
        index = end
        continue
      }
      switch byte {
      case UInt8(ascii: "*"): result.append(.run)
      case UInt8(ascii: "?"): result.append(.any)
      case UInt8(ascii: "\\") where index + 1 < bytes.count:
        index += 1
        result.append(.byte(bytes[index]))
      default: result.append(.byte(byte))
      }
      index += 1
    }
    return result
  }

  /// `[a-z_]`, `[!0-9]`; without its end it is a bracket.
  private static func set(_ bytes: [UInt8], from start: Int) -> (Token, Int)? {
    var index = start + 1
    guard index < bytes.count else { return nil }
    let isNegated = bytes[index] == UInt8(ascii: "!") || bytes[index] == UInt8(ascii: "^")
    if isNegated { index += 1 }
    var ranges: [ClosedRange<UInt8>] = []
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "]"), !ranges.isEmpty {
        return (.set(ranges, isNegated: isNegated), index + 1)
      }
      if index + 2 < bytes.count, bytes[index + 1] == UInt8(ascii: "-"),
        bytes[index + 2] != UInt8(ascii: "]"), bytes[index + 2] >= byte
      {
        ranges.append(byte...bytes[index + 2])
        index += 3
      } else {
        ranges.append(byte...byte)
        index += 1
      }
    }
    return nil
  }

  /// Whether `path` matches.
  public func matches(_ path: String) -> Bool {
    var path = path
    return path.withUTF8 { bytes in
      guard matchesName else { return match(bytes, from: 0) }
      return match(bytes, from: (bytes.lastIndex(of: 0x2F) ?? -1) + 1)
    }
  }

  /// Matches with two places to come back to: the last `*` and the last `**`.
  ///
  /// The steps are bounded by path × path × pattern, whatever the pattern.
  private func match(_ path: UnsafeBufferPointer<UInt8>, from start: Int) -> Bool {
    var token = 0
    var index = start
    var run: (token: Int, index: Int)?
    var tree: (token: Int, index: Int)?
    while true {
      if token == tokens.count {
        if index == path.count { return true }
      } else {
        switch tokens[token] {
        case .run:
          run = (token, index)
          token += 1
          continue
        case .tree, .segments:
          tree = (token, index)
          run = nil
          token += 1
          continue
        default:
          if index < path.count, takes(tokens[token], path[index]) {
            token += 1
            index += 1
            continue
          }
        }
      }
      if let last = run, last.index < path.count, path[last.index] != 0x2F {
        run = (last.token, last.index + 1)
        token = last.token + 1
        index = last.index + 1
      } else if let last = tree, let next = next(after: last, in: path) {
        run = nil
        tree = (last.token, next)
        token = last.token + 1
        index = next
      } else {
        return false
      }
    }
  }

  /// Where the rest of the pattern may begin next after a `**`.
  private func next(
    after last: (token: Int, index: Int), in path: UnsafeBufferPointer<UInt8>
  ) -> Int? {
    guard last.index < path.count else { return nil }
    if tokens[last.token] == .tree { return last.index + 1 }
    return path[last.index...].firstIndex(of: 0x2F).map { $0 + 1 }
  }

  private func takes(_ token: Token, _ byte: UInt8) -> Bool {
    switch token {
    case .byte(let wanted): wanted == byte
    case .any: byte != 0x2F
    case .set(let ranges, let isNegated):
      byte != 0x2F && ranges.contains { $0.contains(byte) } != isNegated
    case .run, .tree, .segments: false
    }
  }
}
