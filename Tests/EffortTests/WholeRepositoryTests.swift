// A repository with forty changed files, held against what `git diff` itself prints for each of them.

import Foundation
import Testing

@testable import Effort

@Suite struct WholeRepositoryTests {
  @Test(arguments: Whitespace.allCases)
  func fortyFiles_agreeWithGitDiff_fileByFile(mode: Whitespace) async throws {
    let place = try Workplace()
    let base = try place.commit(Self.base)
    let port = try place.commit(Self.port)
    let report = try await place.count(
      base, port, map: EffortMap(yaml: "paths: {arch/xen: arch/i386}", file: "map"))
    #expect(report.files.count >= 40)
    #expect(report.files.count { $0.status == .cloned } == 12)
    for file in report.files {
      let old = file.basePath.map { "\(base):\($0)" }
      let new = "\(port):\(file.path)"
      let expected = try Self.change(old, new, mode, in: place.repository)
      #expect(file.changes[mode].raw == expected, "\(file.path)")
    }
    let sum = report.sections.filter(\.isCounted).reduce(0) { $0 + $1.changes[mode].raw.lines }
    #expect(report.total[mode].raw.lines == sum && sum > 0)
  }

  /// What runs of `-` and `+` in `git diff` with context amount to, by a reader of its own.
  private static func change(
    _ old: String?, _ new: String, _ mode: Whitespace, in repository: String
  ) throws -> LineChange {
    guard let old else {
      let text = try git(["show", new], in: repository)
      return LineChange(
        old: 0, new: text.split(separator: "\n", omittingEmptySubsequences: false).count)
    }
    let options = mode == .ignore ? ["-w"] : []
    let diff = try git(["diff", "--no-color"] + options + [old, new], in: repository)
    var change = LineChange()
    var minus = 0
    var plus = 0
    var isInHunk = false
    for line in (diff + "\n ").split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("@@") { isInHunk = true }
      guard isInHunk, !line.hasPrefix("\\") else { continue }
      if line.hasPrefix("-") {
        minus += 1
      } else if line.hasPrefix("+") {
        plus += 1
      } else {
        change += LineChange(old: minus, new: plus)
        minus = 0
        plus = 0
      }
    }
    return change
  }

  /// Files of a small kernel: forty in folders, and twelve of an architecture.
  private static let base: Tree = {
    var tree: Tree = [:]
    for number in 0..<40 {
      tree["\(["kernel", "mm", "fs", "lib"][number % 4])/f\(number).c"] = .text(text(number, 0))
    }
    for number in 0..<12 { tree["arch/i386/kernel/a\(number).c"] = .text(text(100 + number, 0)) }
    return tree
  }()

  private static let port: Tree = {
    var tree = base
    for number in 0..<40 where number % 3 != 0 {
      tree["\(["kernel", "mm", "fs", "lib"][number % 4])/f\(number).c"] = .text(
        text(number, number + 1))
    }
    for number in 0..<12 {
      tree["arch/xen/kernel/a\(number).c"] = .text(text(100 + number, number + 50))
    }
    for number in 0..<3 { tree["drivers/xen/new\(number).c"] = .text(text(200 + number, 0)) }
    return tree
  }()

  /// A text with lines that repeat, as sources have them, and changes by a seed.
  private static func text(_ number: Int, _ seed: Int) -> String {
    var state = UInt64(truncatingIfNeeded: seed &* 7_919 &+ 1)
    func next(_ limit: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % limit
    }
    var lines: [String] = []
    for line in 0..<(60 + number % 30) {
      let usual = ["{", "}", "", "\treturn 0;", "\tx\(number) = \(line);", "call(\(line % 7));"]
      let plain = usual[(line * 5 + number) % 6]
      guard seed > 0 else {
        lines.append(plain)
        continue
      }
      switch next(9) {
      case 0: break
      case 1: lines += [plain, "\tadded(\(next(50)));"]
      case 2: lines.append("\tchanged(\(next(50)));")
      case 3: lines.append("  " + plain)
      default: lines.append(plain)
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
