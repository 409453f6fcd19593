// Decoding of kallsyms' names: each is a row of tokens, and its first character is nm's letter.

extension KallsymsNames {
  /// The longest name that is taken; Linux's own limit is 512.
  private static let longestName = 4096

  /// Calls `body` with the number and letter of each name, and whether it is code's.
  ///
  /// Answers `false` where the table is damaged or `body` says to stop.
  func forEachLetter(
    tokens: KallsymsTokens, in bytes: ImageBytes, _ body: (Int, UInt8, Range<Int>) -> Bool
  ) -> Bool {
    var position = offset
    for number in 0..<count {
      guard let name = Self.name(at: position, in: bytes),
        let first: UInt8 = bytes.load(name.lowerBound),
        let letter: UInt8 = bytes.load(tokens.starts[Int(first)]), body(number, letter, name)
      else { return false }
      position = name.upperBound
    }
    return true
  }

  /// The functions, with the address and section that `place` finds for each number.
  ///
  /// Those that `place` knows no section for are left out; `nil` where the table is damaged.
  func functions(
    tokens: KallsymsTokens, in bytes: ImageBytes,
    place: (Int) -> (address: UInt64, section: Int)?
  ) -> [ImageSymbol]? {
    var found: [ImageSymbol] = []
    found.reserveCapacity(count / 2)
    let isWhole = withUnsafeTemporaryAllocation(byteCount: Self.longestName, alignment: 1) { text in
      forEachLetter(tokens: tokens, in: bytes) { number, letter, name in
        guard Self.isFunction(letter), let place = place(number) else { return true }
        guard let size = Self.expand(name, tokens: tokens, in: bytes, into: text), size > 1 else {
          return false
        }
        let text = UnsafeRawBufferPointer(rebasing: text[1..<size])
        var symbol = ImageSymbol(
          name: String(decoding: text, as: UTF8.self), address: place.address, size: 0,
          kind: .function, section: place.section)
        symbol.isGlobal = SystemMap.isGlobal(letter)
        found.append(symbol)
        return true
      }
    }
    return isWhole ? found : nil
  }

  /// Writes the tokens' text and answers its size, or `nil` where it is too long.
  private static func expand(
    _ name: Range<Int>, tokens: KallsymsTokens, in bytes: ImageBytes,
    into text: UnsafeMutableRawBufferPointer
  ) -> Int? {
    var size = 0
    for offset in name {
      guard let token: UInt8 = bytes.load(offset) else { return nil }
      // A byte is at most 255, and there are 257 starts. Their bytes were read when the table was
      // found, so that they lie inside.
      let start = tokens.starts[Int(token)]
      let end = tokens.starts[Int(token) + 1] - 1
      guard end - start <= text.count - size else { return nil }
      var source = start
      while source < end {
        text[size] = bytes.buffer[source]
        size += 1
        source += 1
      }
    }
    return size
  }

  /// nm's letters for code, `t` and `w`, local or global.
  static func isFunction(_ letter: UInt8) -> Bool {
    letter | 0x20 == UInt8(ascii: "t") || letter | 0x20 == UInt8(ascii: "w")
  }
}
