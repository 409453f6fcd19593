// Times the scan stage on one core against a bare pass of the length decoder over the same bytes, at
// three sizes. `make bench` prints the ratios; nothing depends on them.

import Audit
import Disassembly
import Foundation
import KernelImage

@main
enum ScanBench {
  static func main() throws {
    guard CommandLine.arguments.count == 2 else {
      FileHandle.standardError.write(Data("usage: scan-bench IMAGE\n".utf8))
      exit(2)
    }
    let image = try KernelImage.open(path: CommandLine.arguments[1])
    guard
      let code = image.sections.filter(\.isExecutable).max(by: { $0.bytes.count < $1.bytes.count })
    else { exit(1) }
    let matcher = try RuleMatcher(RuleBook.builtin.rules)
    let scanner = CodeScanner(matcher: matcher, mode: .bits64)
    let bare = Sweep(mode: .bits64, filter: OpcodeFilter(patterns: [], mode: .bits64))
    print("  bytes       bare pass   scan stage  ratio   MB/s of the scan")
    for part in [4, 2, 1] {
      let bytes = UnsafeRawBufferPointer(rebasing: code.bytes.buffer[0..<code.bytes.count / part])
      let bareTime = median { _ = bare.run(bytes, starts: [], jobs: 1) }
      let scanTime = try median {
        _ = try scanner.scan(bytes, address: code.address, starts: [], jobs: 1)
      }
      let columns = [
        pad("\(bytes.count)", 10), pad(milliseconds(bareTime), 10), pad(milliseconds(scanTime), 10),
        pad(fixed(scanTime / bareTime), 5), pad(fixed(Double(bytes.count) / scanTime / 1e6), 6),
      ]
      print("  " + columns.joined(separator: "  "))
    }
  }

  /// The median of nine runs, in seconds.
  private static func median(_ work: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    var times: [Double] = []
    for _ in 0..<9 {
      let start = clock.now
      try work()
      times.append(start.duration(to: clock.now) / .seconds(1))
    }
    return times.sorted()[4]
  }

  private static func milliseconds(_ seconds: Double) -> String { fixed(seconds * 1000) + " ms" }

  private static func fixed(_ value: Double) -> String {
    String(format: "%.2f", value)
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
