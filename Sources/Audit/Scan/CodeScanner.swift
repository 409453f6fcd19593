// The two stages of the scan over one stretch of code: the sweep finds candidates, the rules decide
// on their bytes, Capstone gives the text.

public import Disassembly
import Dispatch

/// An instruction that a rule takes, before anything is known of its surroundings.
public struct ScanHit: Sendable {
  /// Offset in the scanned code.
  public var offset: Int
  public var bytes: [UInt8]
  public var rule: Rule
  /// Intel syntax.
  public var instruction: String
  public var isForcedEmulation: Bool
  public var isOverlap: Bool
}

/// Scans code of one width with a set of rules.
public struct CodeScanner: Sendable {
  public let mode: DecodingMode
  private let matcher: RuleMatcher
  private let sweep: Sweep

  /// A scanner for code of one width.
  public init(matcher: RuleMatcher, mode: DecodingMode) {
    self.matcher = matcher
    self.mode = mode
    sweep = Sweep(mode: mode, filter: matcher.filter(mode: mode))
  }

  /// Scans `code`, which stands at `address`, with up to `jobs` threads.
  ///
  /// - Parameters:
  ///   - code: The bytes.
  ///   - address: The address of the first of them.
  ///   - starts: Sorted offsets of function starts, at which decoding begins anew.
  ///   - jobs: How many threads may work.
  /// - Returns: The hits in order of offset, and what the sweep counted.
  /// - Throws: ``CapstoneError`` where Capstone cannot be opened.
  public func scan(_ code: UnsafeRawBufferPointer, address: UInt64, starts: [Int], jobs: Int)
    throws(CapstoneError) -> (hits: [ScanHit], swept: SweepResult)
  {
    let swept = sweep.run(code, starts: starts, jobs: jobs)
    let hits = try resolve(swept.candidates, in: code, address: address)
    return (hits, swept)
  }

  /// Instructions of `rules` that begin inside other instructions: every offset that is no boundary of the sweep.
  public func hidden(_ code: UnsafeRawBufferPointer, address: UInt64, starts: [Int])
    throws(CapstoneError) -> [ScanHit]
  {
    var candidates: [SweepCandidate] = []
    var boundary = 0
    var nextStart = starts[...]
    for offset in 0..<code.count {
      if let start = nextStart.first, start == offset {
        boundary = offset
        nextStart.removeFirst()
      }
      if offset == boundary {
        boundary += sweep.decoder.decode(code, at: offset)?.length ?? 1
        continue
      }
      if let encoding = sweep.decoder.decode(code, at: offset), sweep.filter.wants(encoding) {
        candidates.append(SweepCandidate(offset: offset))
      }
    }
    return try resolve(candidates, in: code, address: address)
  }

  private func resolve(
    _ candidates: [SweepCandidate], in code: UnsafeRawBufferPointer, address: UInt64
  ) throws(CapstoneError) -> [ScanHit] {
    let capstone = try CapstoneDisassembler(mode: mode)
    var hits: [ScanHit] = []
    var seen = -1
    for candidate in candidates.sorted(by: { $0.offset < $1.offset })
    where candidate.offset != seen {
      seen = candidate.offset
      guard let encoding = sweep.decoder.decode(code, at: candidate.offset) else { continue }
      let bytes = UnsafeRawBufferPointer(
        rebasing: code[candidate.offset..<candidate.offset + encoding.length])
      guard let match = matcher.match(encoding, bytes: bytes, mode: mode) else { continue }
      let text = Self.text(
        match, encoding, bytes, address: address &+ UInt64(candidate.offset), mode, capstone)
      hits.append(
        ScanHit(
          offset: candidate.offset, bytes: Array(bytes), rule: match.rule, instruction: text,
          isForcedEmulation: candidate.isForcedEmulation, isOverlap: candidate.isOverlap))
    }
    return hits
  }

  private static func text(
    _ match: RuleMatcher.Match, _ encoding: InstructionEncoding, _ bytes: UnsafeRawBufferPointer,
    address: UInt64, _ mode: DecodingMode, _ capstone: borrowing CapstoneDisassembler
  ) -> String {
    if let template = match.text {
      return OperandText(encoding, bytes: Array(bytes), mode: mode).fill(template)
    }
    if let known = capstone.text(of: bytes, at: address), known.length == encoding.length {
      return known.text
    }
    return "(\(match.rule.id))"
  }
}
