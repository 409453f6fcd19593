// The first stage of the scan: a linear sweep over code that keeps its place instruction by
// instruction and hands out only what a rule could want. ParallelSweep.swift spreads it over cores.

/// An instruction that a rule could want.
public struct SweepCandidate: Sendable, Equatable {
  /// Offset of the first byte in the swept code.
  public var offset: Int
  /// Xen's forced-emulation prefix stands directly before it.
  public var isForcedEmulation = false
  /// It overlaps another decoding: the straight sweep and a function's start disagree.
  public var isOverlap = false

  public init(offset: Int, isForcedEmulation: Bool = false, isOverlap: Bool = false) {
    self.offset = offset
    self.isForcedEmulation = isForcedEmulation
    self.isOverlap = isOverlap
  }
}

/// What a sweep saw.
public struct SweepResult: Sendable {
  public var candidates: [SweepCandidate] = []
  /// Instructions decoded, each byte of padding counted.
  public var instructions = 0
  /// Offsets of bytes at which no instruction starts.
  public var undecodable: [Int] = []
  /// `int3` that pads, or traps behind a transfer.
  public var paddingInt3 = 0
  public var ud0 = 0
  public var ud1 = 0
  public var ud2 = 0
  /// Function starts that the straight sweep did not meet.
  public var missedStarts: [Int] = []
  /// The first offset behind what was swept.
  public var end = 0

  mutating func append(_ other: SweepResult) {
    candidates += other.candidates
    instructions += other.instructions
    undecodable += other.undecodable
    paddingInt3 += other.paddingInt3
    ud0 += other.ud0
    ud1 += other.ud1
    ud2 += other.ud2
    missedStarts += other.missedStarts
    end = other.end
  }
}

/// Sweeps code of one width.
public struct Sweep: Sendable {
  public let decoder: LengthDecoder
  public let filter: OpcodeFilter
  private let quick: QuickTable

  /// A sweep that hands out what `filter` lets through.
  public init(mode: DecodingMode, filter: OpcodeFilter) {
    decoder = LengthDecoder(mode: mode)
    self.filter = filter
    quick = QuickTable(mode: mode, filter: filter)
  }

  /// Sweeps `code` from `start` until the first instruction at or behind `stop`.
  ///
  /// At each of `starts` (sorted) decoding begins anew: a function's own start is right, whatever stood before it. Where the
  /// straight sweep had run over it, that one is carried on beside it until the two meet, and what only it sees is marked as overlap.
  public func run(
    _ code: UnsafeRawBufferPointer, from start: Int, to stop: Int, starts: ArraySlice<Int>
  ) -> SweepResult {
    var result = SweepResult()
    var position = start
    var flowEnded = false
    for next in starts where next > start && next < stop {
      position = advance(code, from: position, to: next, &flowEnded, &result)
      if position > next {
        result.missedStarts.append(next)
        followBoth(code, main: next, side: position, limit: stop, &result)
        position = next
      }
    }
    result.end = advance(code, from: position, to: stop, &flowEnded, &result)
    return result
  }

  /// Reports what the straight sweep sees from `side` on until it meets the sweep that begins at `main`.
  func followBoth(
    _ code: UnsafeRawBufferPointer, main: Int, side: Int, limit: Int, _ result: inout SweepResult
  ) {
    var main = main
    var side = side
    while main != side, side < limit, main < limit {
      if main < side {
        main += decoder.decode(code, at: main)?.length ?? 1
        continue
      }
      guard let encoding = decoder.decode(code, at: side) else {
        side += 1
        continue
      }
      if filter.wants(encoding) {
        result.candidates.append(SweepCandidate(offset: side, isOverlap: true))
      }
      side += encoding.length
    }
  }

  /// Decodes from `start` to the first boundary at or behind `stop`, which it returns.
  private func advance(
    _ code: UnsafeRawBufferPointer, from start: Int, to stop: Int, _ flowEnded: inout Bool,
    _ result: inout SweepResult
  ) -> Int {
    var position = start
    // The quick path reads up to sixteen bytes without asking; the last few instructions go the slow way.
    let quickStop = decoder.mode == .bits16 ? start : min(stop, code.count - 16)
    while position < stop {
      if position < quickStop {
        position = sweepQuickly(code, from: position, to: quickStop, &flowEnded, &result)
        if position >= stop { break }
      }
      position = sweepOne(code, at: position, limit: stop, &flowEnded, &result)
    }
    return position
  }

  /// One instruction by the full decoder, with the counting of traps and the forced-emulation prefix.
  private func sweepOne(
    _ code: UnsafeRawBufferPointer, at position: Int, limit: Int, _ flowEnded: inout Bool,
    _ result: inout SweepResult
  ) -> Int {
    guard let encoding = decoder.decode(code, at: position) else {
      result.undecodable.append(position)
      flowEnded = false
      return position + 1
    }
    let next = position + encoding.length
    if encoding.space == .legacy, encoding.map == 0, encoding.opcode == 0xCC {
      return sweepInt3(code, from: position, firstEnd: next, limit: limit, &flowEnded, &result)
    }
    result.instructions += 1
    if encoding.space == .legacy, encoding.map == 1 {
      switch encoding.opcode {
      case 0x0B:
        if ForcedEmulation.isPrefix(code, at: position) {
          return sweepForced(code, at: position + ForcedEmulation.length, &flowEnded, &result)
        }
        result.ud2 += 1
      case 0xB9: result.ud1 += 1
      case 0xFF: result.ud0 += 1
      default: break
      }
    }
    flowEnded = endsFlow(encoding)
    if filter.wants(encoding) { result.candidates.append(SweepCandidate(offset: position)) }
    return next
  }

  private func sweepForced(
    _ code: UnsafeRawBufferPointer, at position: Int, _ flowEnded: inout Bool,
    _ result: inout SweepResult
  ) -> Int {
    guard let encoding = decoder.decode(code, at: position) else { return position }
    result.instructions += 1
    flowEnded = false
    if filter.wants(encoding) {
      result.candidates.append(SweepCandidate(offset: position, isForcedEmulation: true))
    }
    return position + encoding.length
  }

  /// Counts a run of `int3` that begins at `position`, up to `limit`, where decoding begins anew.
  ///
  /// A lone one in the flow of code is a breakpoint; several, or one behind a transfer, are padding.
  private func sweepInt3(
    _ code: UnsafeRawBufferPointer, from position: Int, firstEnd: Int, limit: Int,
    _ flowEnded: inout Bool, _ result: inout SweepResult
  ) -> Int {
    var end = firstEnd
    while end < limit, code[end] == 0xCC { end += 1 }
    let count = end - firstEnd + 1
    result.instructions += count
    if count > 1 || flowEnded {
      result.paddingInt3 += count
    } else {
      result.candidates.append(SweepCandidate(offset: position))
    }
    flowEnded = true
    return end
  }

  private func endsFlow(_ encoding: InstructionEncoding) -> Bool {
    guard encoding.space == .legacy, encoding.map < 2 else { return false }
    let maps = OpcodeMaps.shared
    let traits = encoding.map == 0 ? maps.primary : maps.secondary
    if encoding.map == 0, encoding.opcode == 0xFF {
      return (2...5).contains(encoding.registerField)
    }
    return traits[Int(encoding.opcode)].contains(.endsFlow)
  }
}

// MARK: The quick path

extension Sweep {
  /// Decodes until `stop` or an instruction that needs the full decoder, at which it stops.
  private func sweepQuickly(
    _ code: UnsafeRawBufferPointer, from start: Int, to stop: Int, _ flowEnded: inout Bool,
    _ result: inout SweepResult
  ) -> Int {
    // SAFETY: `stop` is at least sixteen bytes before the end of `code`, and no path below reads more than sixteen bytes
    // from `position`: prefixes are bounded by `longest`, behind them at most opcode, ModRM and SIB are read. The
    // tables are indexed by bytes plus a multiple of 512 below their count.
    quick.words.withUnsafeBufferPointer { words in
      quick.addressing.withUnsafeBufferPointer { addressing in
        quick.masks.withUnsafeBufferPointer { masks in
          guard let code = code.baseAddress?.assumingMemoryBound(to: UInt8.self),
            let words = words.baseAddress, let addressing = addressing.baseAddress,
            let masks = masks.baseAddress
          else { return start }
          return Self.quickLoop(
            code, words, addressing, masks, from: start, to: stop, &flowEnded, &result)
        }
      }
    }
  }

  private static func quickLoop(
    _ code: UnsafePointer<UInt8>, _ words: UnsafePointer<UInt16>,
    _ addressing: UnsafePointer<UInt8>, _ masks: UnsafePointer<UInt16>, from start: Int,
    to stop: Int, _ flowEnded: inout Bool, _ result: inout SweepResult
  ) -> Int {
    let longestPrefix = 10
    var position = start
    var instructions = 0
    var lastWord: UInt16 = flowEnded ? QuickTable.endsFlow : 0
    while position < stop {
      var cursor = position
      var table = 0
      var opcode = Int(code[cursor])
      var word = words[opcode]
      if word & QuickTable.anyPrefix != 0 {
        var rex = false
        repeat {
          if rex || cursor &- position > longestPrefix {
            word = QuickTable.slow
            break
          }
          if word & QuickTable.operandSizePrefix != 0 {
            if table == 0 { table = QuickTable.narrow }
          } else if word & QuickTable.rexPrefix != 0 {
            rex = true
            if opcode & 8 != 0 { table = QuickTable.wide }
          }
          cursor &+= 1
          opcode = Int(code[cursor])
          word = words[table &+ opcode]
        } while word & QuickTable.anyPrefix != 0
      }
      if word & QuickTable.escape != 0 {
        cursor &+= 1
        opcode = 256 &+ Int(code[cursor])
        word = words[table &+ opcode]
      }
      if word & QuickTable.slow != 0 { break }
      cursor &+= 1
      if word & QuickTable.modRM != 0 {
        let modRM = code[cursor]
        let address = addressing[Int(modRM)]
        cursor &+= 1 &+ Int(address & 0x7F)
        if address & 0x80 != 0 {
          // SIB: without a base register (mod 0, base 5) four bytes of displacement follow it.
          let sib = code[cursor &- Int(address & 0x7F)]
          cursor &+= 1
          if modRM < 0x40, sib & 7 == 5 { cursor &+= 4 }
        }
        if word & QuickTable.wanted != 0, masks[opcode] & OpcodeFilter.bit(modRM: modRM) != 0 {
          result.candidates.append(SweepCandidate(offset: position))
        }
      } else if word & QuickTable.wanted != 0 {
        result.candidates.append(SweepCandidate(offset: position))
      }
      cursor &+= Int(word & QuickTable.immediateMask)
      if cursor &- position > LengthDecoder.maximumLength {
        // Too long to be an instruction: take back what was handed out for it.
        if result.candidates.last?.offset == position { result.candidates.removeLast() }
        break
      }
      lastWord = word
      instructions &+= 1
      position = cursor
    }
    flowEnded = lastWord & QuickTable.endsFlow != 0
    result.instructions += instructions
    return position
  }
}
