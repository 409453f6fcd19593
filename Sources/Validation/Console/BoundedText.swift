// Text of which no more is kept than a fixed number of bytes, whatever comes: its beginning and its end.

/// The beginning and the end of what was appended.
struct BoundedText: Sendable {
  /// Bytes of the beginning, and as many of the end.
  let half: Int
  private var head: [UInt8] = []
  private var tail: [UInt8] = []
  /// Where the tail's oldest byte is, once it is full.
  private var start = 0
  /// Bytes that were appended in all.
  private(set) var total = 0

  /// Text of at most twice `half` bytes.
  init(half: Int = 512 << 10) {
    self.half = half
  }

  /// Something in the middle is not kept.
  var isCut: Bool { total > 2 * half }

  mutating func append(_ bytes: [UInt8]) {
    total += bytes.count
    let room = half - head.count
    head += bytes.prefix(room)
    guard bytes.count > room else { return }
    // What would be overwritten at once need not be written.
    var rest = bytes.dropFirst(room).suffix(half)
    let added = rest.prefix(half - tail.count)
    tail += added
    rest = rest.dropFirst(added.count)
    while !rest.isEmpty {
      let piece = rest.prefix(half - start)
      tail.replaceSubrange(start..<start + piece.count, with: piece)
      start = (start + piece.count) % half
      rest = rest.dropFirst(piece.count)
    }
  }

  /// What is kept, with a line in place of what is not.
  var bytes: [UInt8] {
    let end = tail[start...] + tail[..<start]
    guard isCut else { return head + end }
    return head + Array("\n… \(total - 2 * half) bytes are left out here …\n".utf8) + end
  }

  /// What is kept, as lines.
  var lines: [String] {
    var lines = String(decoding: bytes, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }
}
