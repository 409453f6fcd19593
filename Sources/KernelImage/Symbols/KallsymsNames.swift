// kallsyms' compressed names, found backwards from the tokens by way of the markers.

/// kallsyms' `num_syms`, `names` and `markers`, proved to agree with each other.
struct KallsymsNames {
  /// The symbols between two markers.
  private static let stretch = 256
  /// The most bytes of a stretch: a length of two bytes and a name of 512 tokens each.
  private static let longestStretch = stretch * 514
  /// How far before the tokens the markers may be: `seqs_of_names` lies between.
  private static let window = 4 << 20
  /// The most positions that are tried, so that a hostile image costs no more than a good one.
  private static let budget = 1_000_000

  var count: Int
  /// Where `num_syms` stands.
  var countOffset: Int
  /// Where the first name's length stands.
  var offset: Int

  /// Finds the names that `tokens` belong to.
  static func find(
    before tokens: KallsymsTokens, in bytes: ImageBytes, word: Int
  ) -> Self? {
    var budget = Self.budget
    let lowest = max(0, tokens.tableOffset - window)
    var position = (tokens.tableOffset & ~(word - 1)) - word
    while position >= lowest, budget > 0 {
      budget -= 1
      let run = markerRun(at: position, end: tokens.tableOffset, in: bytes)
      // What follows the markers may by chance look like one or two more.
      for markers in stride(from: run, to: max(1, run - 3), by: -1) {
        if let found = find(
          markersAt: position, count: markers, in: bytes, word: word, budget: &budget)
        {
          return found
        }
      }
      position -= word
    }
    return nil
  }

  /// The number of values from `position` on that ascend as markers do; the first is 0.
  private static func markerRun(at position: Int, end: Int, in bytes: ImageBytes) -> Int {
    guard bytes.load(position, as: UInt32.self) == 0 else { return 0 }
    var last: UInt32 = 0
    var run = 1
    while position + run * 4 + 4 <= end, let next: UInt32 = bytes.load(position + run * 4),
      next > last, (stretch * 2...longestStretch).contains(Int(next - last))
    {
      last = next
      run += 1
    }
    return run
  }

  /// Looks for `num_syms` and the names before the markers.
  private static func find(
    markersAt markers: Int, count: Int, in bytes: ImageBytes, word: Int, budget: inout Int
  ) -> Self? {
    guard let last = bytes.load(markers + (count - 1) * 4, as: UInt32.self) else { return nil }
    let symbols = (count - 1) * stretch + 1...count * stretch
    let nearest = (markers - Int(last) - 2) & ~(word - 1)
    let furthest = max(word, markers - Int(last) - longestStretch)
    for start in stride(from: nearest, through: furthest, by: -word) {
      budget -= 1
      guard budget > 0 else { return nil }
      guard let number: UInt32 = bytes.load(start - word), symbols.contains(Int(number)) else {
        continue
      }
      budget -= Int(number)
      let names = Self(count: Int(number), countOffset: start - word, offset: start)
      if names.agree(withMarkersAt: markers, in: bytes, word: word) { return names }
    }
    return nil
  }

  /// Walks all names: each marker must point at its name, and the last name must end at the markers.
  private func agree(withMarkersAt markers: Int, in bytes: ImageBytes, word: Int) -> Bool {
    var position = offset
    for symbol in 0..<count {
      if symbol % Self.stretch == 0 {
        let marker: UInt32? = bytes.load(markers + symbol / Self.stretch * 4)
        guard let marker, Int(marker) == position - offset else { return false }
      }
      guard let name = Self.name(at: position, in: bytes), name.upperBound <= markers else {
        return false
      }
      position = name.upperBound
    }
    return position.aligned(to: word) == markers
  }

  /// The tokens of the name whose length stands at `position`.
  static func name(at position: Int, in bytes: ImageBytes) -> Range<Int>? {
    guard let low: UInt8 = bytes.load(position) else { return nil }
    // Since Linux 6.1 a set top bit means that seven more bits of the length follow.
    guard low & 0x80 != 0 else {
      return low == 0 ? nil : position + 1..<position + 1 + Int(low)
    }
    guard let high: UInt8 = bytes.load(position + 1) else { return nil }
    let length = Int(low & 0x7f) | Int(high) << 7
    return length == 0 ? nil : position + 2..<position + 2 + length
  }
}
