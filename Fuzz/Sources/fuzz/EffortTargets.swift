// Targets for what `xenograft effort` reads: sources in every language, maps, and git's diffs.

@testable import Effort

/// Scans the input in every language; each line must come out once.
func scanLines(_ input: UnsafeRawBufferPointer) {
  let ends = input.count { $0 == 0x0A }
  let lines = ends + (input.isEmpty || input[input.count - 1] == 0x0A ? 0 : 1)
  for language in Language.allCases {
    let counts = LineScanner.scan(input, language, into: LineCounts.zero)
    precondition(counts.raw == lines && counts.code <= counts.nonblank)
    precondition(counts.nonblank <= lines)
  }
}

/// Reads the input as a map, and places and matches paths by it.
func readEffortMap(_ input: UnsafeRawBufferPointer) {
  let text = String(decoding: input, as: UTF8.self)
  guard let map = try? EffortMap(yaml: text, file: "input.yaml") else { return }
  for path in ["kernel/sched.c", "arch/xen/a/b/c/d.c", String(text.prefix(200))] {
    _ = map.place(path)
    _ = map.basePath(of: path)
    _ = map.isInDenominator(path)
  }
}

/// Reads the input as a diff, whole and byte by byte; both must give the same.
func readDiff(_ input: UnsafeRawBufferPointer) {
  var whole = DiffParser()
  whole.feed(input)
  var pieces = DiffParser()
  for index in 0..<input.count {
    pieces.feed(UnsafeRawBufferPointer(rebasing: input[index..<(index + 1)]))
  }
  precondition(whole.hunks == pieces.hunks && (whole.fault == nil) == (pieces.fault == nil))
}
