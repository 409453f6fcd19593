// Everything that one boot says, taken in while it runs: a bounded part of the text, and what the checks
// look for in it.

import Foundation
import Harness
import Synchronization

/// What a boot is watched for.
struct BootWatches: Sendable {
  /// Lines, by the check's name.
  var lines: [String: (lines: [LinePattern], isUnordered: Bool, never: [LinePattern])] = [:]
  /// Numbers, by the check's name.
  var times: [String: TimeCheck] = [:]
}

/// What was seen at a boot's end.
struct BootObservation: Sendable {
  var console = BoundedText()
  /// Of the hypervisor and domain 0.
  var log = BoundedText()
  /// Lines of the console that have ended, and the one that has not.
  var lineCount = 0
  /// Seconds until the guest's first byte.
  var firstOutput: Double?
  var lines: [String: LineWatchResult] = [:]
  var times: [String: TimeObservation] = [:]
  /// Faults that have struck, as the control domain names them.
  var strikes: [String: Int] = [:]
}

/// What a ``TimeWatch`` has seen.
struct TimeObservation: Sendable {
  var count = 0
  var first: TimeSample?
  var last: TimeSample?
  var fall: (before: TimeSample, behind: TimeSample)?
}

/// Takes in what a boot says, from any thread.
final class BootRecorder: Sendable {
  /// A line without end is cut here.
  private static let longestLine = 64 << 10

  private struct State {
    var seen = BootObservation()
    var watches: [String: LineWatch] = [:]
    var clocks: [String: TimeWatch] = [:]
    var line: [UInt8] = []
    /// The last line in which nothing was noted; empty for none.
    ///
    /// The same again needs no look: a guest may print one line for ever, as fast as it can.
    var idleLine: [UInt8] = []
    var isOver = false
  }

  private let state: Mutex<State>
  private let start = ContinuousClock.now

  init(_ watches: BootWatches) {
    var state = State()
    for (name, watch) in watches.lines {
      state.watches[name] = LineWatch(
        lines: watch.lines, isUnordered: watch.isUnordered, never: watch.never)
    }
    for (name, check) in watches.times { state.clocks[name] = TimeWatch(check) }
    self.state = Mutex(state)
  }

  /// Seconds since the boot began.
  var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// Takes in what comes from the machine.
  func take(_ output: ConsoleOutput) {
    let now = elapsed
    state.withLock { state in
      switch output {
      case .guest(let bytes): Self.take(bytes, at: now, &state)
      case .hypervisor(let line):
        state.seen.log.append(Array(line.utf8) + [0x0A])
        if let fault = Self.strike(in: line) { state.seen.strikes[fault, default: 0] += 1 }
      case .event: break
      }
    }
  }

  /// The boot is over; who waits for more waits in vain.
  func end() {
    state.withLock { state in
      if !state.line.isEmpty { Self.endLine(at: elapsed, &state) }
      state.isOver = true
    }
  }

  /// The boot is over.
  var isOver: Bool { state.withLock { $0.isOver } }

  /// Seconds until the guest's first byte.
  var firstOutput: Double? { state.withLock { $0.seen.firstOutput } }

  /// Whether a check's lines have all come.
  func isSatisfied(_ name: String) -> Bool {
    state.withLock { $0.watches[name]?.result.isSatisfied ?? false }
  }

  /// Whether all lines and numbers have come that any check waits for.
  var isSatisfied: Bool {
    state.withLock { state in
      state.watches.values.allSatisfy(\.result.isSatisfied)
        && state.clocks.values.allSatisfy(\.isSatisfied)
    }
  }

  /// What was seen.
  var observation: BootObservation {
    state.withLock { state in
      var seen = state.seen
      seen.lines = state.watches.mapValues(\.result)
      seen.times = state.clocks.mapValues {
        TimeObservation(count: $0.count, first: $0.first, last: $0.last, fall: $0.fall)
      }
      return seen
    }
  }

  private static func take(_ bytes: [UInt8], at now: Double, _ state: inout State) {
    state.seen.firstOutput = state.seen.firstOutput ?? now
    state.seen.console.append(bytes)
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = rest.prefix(longestLine - state.line.count).prefix { $0 != 0x0A }
      state.line += piece
      rest = rest.dropFirst(piece.count)
      let isAtEnd = rest.first == 0x0A
      if isAtEnd { rest = rest.dropFirst() }
      if isAtEnd || state.line.count >= longestLine { endLine(at: now, &state) }
    }
    // A prompt has no newline behind it.
    if !state.line.isEmpty { look(at: text(of: state.line), state.seen.lineCount + 1, &state) }
  }

  private static func endLine(at now: Double, _ state: inout State) {
    let number = state.seen.lineCount + 1
    state.seen.lineCount = number
    defer { state.line = [] }
    guard state.line.isEmpty || state.line != state.idleLine else { return }
    let text = text(of: state.line)
    var isNoted = look(at: text, number, &state)
    for name in state.clocks.keys {
      isNoted = state.clocks[name]?.look(at: text, number: number, host: now) == true || isNoted
    }
    state.idleLine = isNoted ? [] : state.line
  }

  private static func text(of line: [UInt8]) -> String {
    String(decoding: line.last == 0x0D ? line.dropLast() : line[...], as: UTF8.self)
  }

  @discardableResult
  private static func look(at text: String, _ number: Int, _ state: inout State) -> Bool {
    var isNoted = false
    for name in state.watches.keys {
      isNoted = state.watches[name]?.look(at: text, number: number) == true || isNoted
    }
    return isNoted
  }

  /// The fault that a line of the control domain says to have struck.
  private static func strike(in line: String) -> String? {
    let words = line.split(separator: " ")
    guard words.count >= 4, words[0] == "controldomain:", words[1] == "fault",
      words[3] == "strikes"
    else { return nil }
    return String(words[2])
  }
}
