// A guest that reports its own trap prints addresses of its code; whoever reads the report wants lines.

import Harness

/// Finds addresses in lines.
enum ConsoleAddresses {
  private static let mostLines = 24
  private static let mostPlaces = 8

  /// Places in the kernel's code that the last of `lines` name, in their order, each once.
  static func places(in lines: [String], kernel: String) -> [CodePlace] {
    let numbers = lines.suffix(mostLines).flatMap(numbers)
    guard !numbers.isEmpty, let symbols = GuestSymbols(kernel: kernel) else { return [] }
    var seen: Set<UInt64> = []
    let code = numbers.filter { symbols.isCode($0) && seen.insert($0).inserted }
    return symbols.locate(code.prefix(mostPlaces).map(CodePlace.init(address:)))
  }

  /// Hexadecimal numbers of a line, with `0x` in front or as long as a kernel's address.
  static func numbers(in line: String) -> [UInt64] {
    line.split { !$0.isHexDigit && $0 != "x" && $0 != "X" }.compactMap { word in
      if word.hasPrefix("0x") || word.hasPrefix("0X") {
        return UInt64(word.dropFirst(2), radix: 16)
      }
      return word.utf8.count == 16 ? UInt64(word, radix: 16) : nil
    }
  }
}
