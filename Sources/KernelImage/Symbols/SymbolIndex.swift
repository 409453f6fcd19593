// From an address to the function that holds it, by symbols alone. Where there is debugging
// information its answer goes first; this one serves the rest.

/// A symbol and how far behind its start an address is.
public struct SymbolMatch: Sendable {
  public var symbol: ImageSymbol
  public var offset: UInt64
}

/// The symbols of an image's code, ordered for looking up.
///
/// A function is a symbol of type function, or one without a type in code, as assembly source
/// makes them.
public struct SymbolIndex: Sendable {
  /// One symbol for each address that has any.
  private struct Start {
    var address: UInt64
    /// Index into `symbols`.
    var symbol: Int
  }
  /// A symbol with a size.
  private struct Span {
    var start: UInt64
    var end: UInt64
    var symbol: Int
    /// The greatest `end` of this span and those before it in the section.
    var reach: UInt64
  }
  /// How far back nested symbols are looked for.
  private static let nesting = 64

  private let symbols: [ImageSymbol]
  /// By section.
  private var starts: [[Start]]
  private var spans: [[Span]]

  /// An index of the image's symbols.
  public init(_ image: KernelImage) {
    symbols = image.symbols
    starts = Array(repeating: [], count: image.sections.count)
    spans = Array(repeating: [], count: image.sections.count)
    for (index, symbol) in image.symbols.enumerated() where symbol.kind != .object {
      guard let section = symbol.section, image.sections.indices.contains(section),
        image.sections[section].isExecutable
      else { continue }
      appendStart(index, in: section)
      if symbol.size > 0 { appendSpan(index, in: section) }
    }
  }

  /// The function that holds an address, and the distance from its start.
  ///
  /// The innermost symbol whose size covers the address, else the nearest before it in the
  /// section. Of several at one address: functions before untyped ones, those with a size before
  /// those without, global before local, then by name.
  public func function(at place: ImageAddress) -> SymbolMatch? {
    guard starts.indices.contains(place.section) else { return nil }
    let found =
      covering(place.address, in: spans[place.section])
      ?? preceding(place.address, in: starts[place.section])
    guard let found else { return nil }
    return SymbolMatch(symbol: symbols[found], offset: place.address - symbols[found].address)
  }

  /// The addresses in a section where functions start, ascending and without repetition.
  public func functionStarts(section: Int) -> [UInt64] {
    guard starts.indices.contains(section) else { return [] }
    return starts[section].map(\.address)
  }

  private mutating func appendStart(_ index: Int, in section: Int) {
    let address = symbols[index].address
    guard let last = starts[section].last, last.address == address else {
      starts[section].append(Start(address: address, symbol: index))
      return
    }
    if isBetter(index, than: last.symbol) {
      starts[section][starts[section].count - 1].symbol = index
    }
  }

  private mutating func appendSpan(_ index: Int, in section: Int) {
    let symbol = symbols[index]
    let (sum, overflow) = symbol.address.addingReportingOverflow(symbol.size)
    let end = overflow ? .max : sum
    spans[section].append(
      Span(
        start: symbol.address, end: end, symbol: index,
        reach: max(end, spans[section].last?.reach ?? 0)))
  }

  /// `symbols` is sorted by name within an address, so a later one wins only by being better.
  private func isBetter(_ candidate: Int, than incumbent: Int) -> Bool {
    rank(symbols[candidate]) > rank(symbols[incumbent])
  }

  private func rank(_ symbol: ImageSymbol) -> Int {
    (symbol.kind == .function ? 4 : 0) + (symbol.size > 0 ? 2 : 0) + (symbol.isGlobal ? 1 : 0)
  }

  private func covering(_ address: UInt64, in spans: [Span]) -> Int? {
    var position = spans.partitionPoint { $0.start <= address }
    var best: Int?
    var steps = 0
    while position > 0, spans[position - 1].reach > address, steps < Self.nesting {
      position -= 1
      steps += 1
      let span = spans[position]
      if let best, symbols[best].address != span.start { return best }
      // Going backwards, names descend: an equal rank replaces, so that the first name stays.
      if span.end > address, best.map({ !isBetter($0, than: span.symbol) }) ?? true {
        best = span.symbol
      }
    }
    return best
  }

  private func preceding(_ address: UInt64, in starts: [Start]) -> Int? {
    let position = starts.partitionPoint { $0.address <= address }
    return position > 0 ? starts[position - 1].symbol : nil
  }
}

extension Array {
  /// The number of leading elements for which `belongs` holds, in an array so partitioned.
  func partitionPoint(where belongs: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
