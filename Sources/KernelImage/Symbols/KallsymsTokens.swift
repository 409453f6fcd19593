// The 256 strings that kallsyms' names are made of.

/// kallsyms' `token_table` and `token_index`.
struct KallsymsTokens {
  static let count = 256
  /// The most bytes of one token, beyond the longest symbol name that Linux allows (512).
  private static let longest = 513

  /// Where `token_table` begins.
  var tableOffset: Int
  /// Where the byte behind `token_index` is.
  var end: Int
  /// For each token, where it begins, and one entry more for where the last one ends.
  ///
  /// Each token's terminating zero is the byte before the next token's start.
  var starts: [Int]

  /// Looks for the index, whose shape (256 ascending numbers from 0) is rare, then for its table.
  static func find(in bytes: ImageBytes, word: Int) -> Self? {
    let size = count * 2
    var position = 0
    while position + size <= bytes.count {
      if let found = Self(indexAt: position, in: bytes, word: word) { return found }
      position += word
    }
    return nil
  }

  private init?(indexAt position: Int, in bytes: ImageBytes, word: Int) {
    // Nearly all positions fail here: 0, then a small number that is not.
    guard let first: UInt32 = bytes.load(position), first & 0xffff == 0,
      (2...UInt32(Self.longest)).contains(first >> 16)
    else { return nil }
    var offsets: [Int] = []
    offsets.reserveCapacity(Self.count + 1)
    for token in 0..<Self.count {
      guard let offset: UInt16 = bytes.load(position + token * 2) else { return nil }
      if let last = offsets.last {
        guard (2...Self.longest).contains(Int(offset) - last) else { return nil }
      }
      offsets.append(Int(offset))
    }
    guard let last = offsets.last else { return nil }
    // The last token's length is open: its end and padding reach up to the index.
    let nearest = position - (last + 2).aligned(to: word)
    let furthest = position - (last + Self.longest).aligned(to: word)
    for table in stride(from: nearest, through: max(0, furthest), by: -word) {
      guard let size = Self.tableSize(at: table, offsets: offsets, end: position, in: bytes) else {
        continue
      }
      tableOffset = table
      end = position + Self.count * 2
      starts = offsets.map { table + $0 } + [table + size]
      return
    }
    return nil
  }

  /// The size of the table at `table` if every offset is the start of a string in it.
  private static func tableSize(
    at table: Int, offsets: [Int], end: Int, in bytes: ImageBytes
  ) -> Int? {
    guard table >= 0 else { return nil }
    for (token, offset) in offsets.enumerated() {
      let isLast = token == offsets.count - 1
      let limit = isLast ? end - table : offsets[token + 1]
      var position = offset
      while position < limit, let byte: UInt8 = bytes.load(table + position), byte != 0 {
        position += 1
      }
      guard position > offset, position < limit else { return nil }
      if !isLast {
        guard position == limit - 1 else { return nil }
        continue
      }
      // Only padding lies between the last token and the index.
      for rest in position..<limit {
        guard bytes.load(table + rest, as: UInt8.self) == 0 else { return nil }
      }
      return position + 1
    }
    return nil
  }
}
