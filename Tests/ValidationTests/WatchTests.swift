// What is kept of a console, and what is found in it.

import Harness
import Testing

@testable import Validation

@Suite struct WatchTests {
  private func patterns(_ texts: [String]) -> [LinePattern] { texts.map { LinePattern($0) } }

  private func watch(_ lines: [String], in console: [String], never: [String] = [])
    -> LineWatchResult
  {
    var watch = LineWatch(lines: patterns(lines), never: patterns(never))
    for (index, line) in console.enumerated() { _ = watch.look(at: line, number: index + 1) }
    return watch.result
  }

  @Test func lines_mustComeInOrder_andEachBehindTheOneBefore() {
    let good = watch(["a", "b"], in: ["xa", "c", "b"])
    #expect(good.isSatisfied && good.met.map { $0?.number } == [1, 3])
    let twice = watch(["a", "a"], in: ["aa", "b"])
    #expect(!twice.isSatisfied, "one line meets one pattern")
    let swapped = watch(["a", "b"], in: ["b", "a"])
    #expect(!swapped.isSatisfied && swapped.first[1]?.number == 1)
    let words = LineWords(result: swapped, lineCount: 2)
    #expect(
      words.missing(patterns(["a", "b"]))
        == "expected a line with `b` behind line 2, found it on line 1 alone: b")
  }

  @Test func linesInAnyOrder_areTakenAsTheyCome() {
    var watch = LineWatch(lines: patterns(["a", "b"]), isUnordered: true)
    _ = watch.look(at: "b", number: 1)
    _ = watch.look(at: "a", number: 2)
    #expect(watch.result.isSatisfied)
  }

  @Test func forbiddenLines_areFoundOnceAndKept() {
    let result = watch([], in: ["fine", "BUG: one", "BUG: two"], never: ["^BUG"])
    #expect(result.forbidden?.line == SeenLine(number: 2, text: "BUG: one"))
  }

  @Test func literalText_isNoPattern() {
    var watch = LineWatch(lines: [LinePattern("a.b(", isLiteral: true)])
    _ = watch.look(at: "axb(", number: 1)
    #expect(!watch.result.isSatisfied)
    _ = watch.look(at: "see a.b( here", number: 2)
    #expect(watch.result.isSatisfied)
  }

  /// An answer over the network is more than a line, and most often ends with a newline.
  @Test func anchors_standForTheEndsOfEachLine() {
    let matcher = LineMatcher(LinePattern("^start 1$"))
    #expect(matcher.matches("start 1") && matcher.matches("start 1\n"))
    #expect(matcher.matches("hello\nstart 1\ngood bye"))
    #expect(!matcher.matches("start 12\n") && !matcher.matches("restart 1\n"))
  }

  @Test func boundedText_keepsBothEnds() {
    for piece in [1, 3, 7, 100] {
      var text = BoundedText(half: 10)
      let all = (0..<100).map { UInt8($0) }
      for start in stride(from: 0, to: all.count, by: piece) {
        text.append(Array(all[start..<min(start + piece, all.count)]))
      }
      #expect(text.isCut && text.total == 100)
      #expect(Array(text.bytes.prefix(10)) == Array(all.prefix(10)), "pieces of \(piece)")
      #expect(Array(text.bytes.suffix(10)) == Array(all.suffix(10)), "pieces of \(piece)")
    }
    var short = BoundedText(half: 10)
    short.append(Array("one\ntwo\nthree\n".utf8))
    #expect(!short.isCut && short.lines == ["one", "two", "three"])
  }

  @Test func addresses_areFoundWithAndWithoutPrefix() {
    let line = "rip 0xffffffff80102381, rax 0 rbx ffffffff8015b000 face 0x extra"
    #expect(ConsoleAddresses.numbers(in: line) == [0xffff_ffff_8010_2381, 0xffff_ffff_8015_b000])
    #expect(ConsoleAddresses.numbers(in: "0x11112222333344445 dead").isEmpty)
  }

  @Test func time_mustGrow() {
    var watch = TimeWatch(TimeCheck(pattern: #"up (\d+) ms"#, unit: .ms))
    _ = watch.look(at: "up 100 ms", number: 1, host: 1)
    _ = watch.look(at: "something else", number: 2, host: 1.1)
    #expect(!watch.isSatisfied)
    _ = watch.look(at: "up 1100 ms", number: 3, host: 2)
    #expect(watch.isSatisfied && watch.fall == nil && watch.last?.guest == 1.1)
    _ = watch.look(at: "up 1100 ms", number: 4, host: 3)
    #expect(watch.fall?.behind.line == 4)
  }

  @Test func recorder_seesLinesAcrossPieces_promptsAndStrikes() {
    var watches = BootWatches()
    watches.lines["console"] = (patterns(["^hello$", "login: $"]), false, [])
    let recorder = BootRecorder(watches)
    for piece in ["hel", "lo\r\nlog", "in: "] { recorder.take(.guest(Array(piece.utf8))) }
    recorder.take(.hypervisor("controldomain: fault block:late strikes domain 1"))
    recorder.take(.hypervisor("controldomain: fault "))
    #expect(recorder.isSatisfied && !recorder.isOver)
    recorder.end()
    let seen = recorder.observation
    #expect(recorder.isOver && seen.lineCount == 2 && seen.strikes == ["block:late": 1])
  }

  /// A line that comes again and again is looked at once, and can still meet a pattern in its turn.
  @Test func repeatedLines_meetWhatTheyCan() {
    var watches = BootWatches()
    watches.lines["twice"] = (patterns(["tick", "tick", "end"]), false, [])
    let recorder = BootRecorder(watches)
    recorder.take(.guest(Array("idle\nidle\ntick\ntick\ntick\nidle\nend\n".utf8)))
    recorder.end()
    let result = recorder.observation.lines["twice"]
    #expect(result?.met.map { $0?.number } == [3, 4, 7] && recorder.observation.lineCount == 7)
  }

  /// A console without end is neither kept nor looked through as one line.
  @Test func endlessOutput_isBounded() {
    var watches = BootWatches()
    watches.lines["console"] = (patterns(["never"]), false, [])
    let recorder = BootRecorder(watches)
    let piece = [UInt8](repeating: 0x79, count: 1 << 20)
    for _ in 0..<3 { recorder.take(.guest(piece)) }
    #expect(recorder.observation.console.bytes.count < 2 << 20)
    recorder.end()
    #expect(recorder.observation.lineCount == 3 * 16)
  }
}
