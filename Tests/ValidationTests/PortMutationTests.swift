// A PORT.yaml may be anything: torn, doubled, or bytes out of nowhere. Reading it ends, and says where.

import ABISchema
import Foundation
import Harness
import Testing

@testable import Validation

@Suite struct PortMutationTests {
  private static let seed = """
    name: mykernel
    kernel: build/kernel
    build: {command: make, timeout: 900}
    memory: 128
    timeout: 60
    disks: [{file: root.img, read-only: true}, {size: 64, name: xvdd}]
    network: true
    checks:
      - boots
      - {check: console, name: a, lines: ['^one', {text: 'two (2)'}], never: 'BUG:', any-order: true}
      - {check: block, sha256: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
      - {check: network, protocol: http, path: /x, expect: '<title>', status: 200, within: 5}
      - {check: time, pattern: 'up ([0-9]+)', unit: ms, tolerance: 0.5}
      - {check: strict, allow: [cpuid, {rule: 'rd*', most: 3}]}
      - {check: faults, inject: [delays, 'net:rx-short:every=5:count=9'], lines: good}
      - {check: hypervisor, on: xen, mask: ['[0-9]+']}
    """

  @Test func mutations_areReadOrRefusedWithAPlace() throws {
    #expect(PortReader.read(Self.seed, file: "PORT.yaml").port != nil)
    var random = SystemRandomNumberGenerator()
    let pieces = [
      "{", "}", "[", "]", ":", "- ", "\n", "*a", "&a ", "!!", "'", "\"", "\u{0}", "🙂", "|", "? ",
    ]
    var refused = 0
    for _ in 0..<300 {
      var text = Array(Self.seed.utf8)
      for _ in 0...Int.random(in: 0..<3, using: &random) {
        let place = Int.random(in: 0..<text.count, using: &random)
        let length = Int.random(in: 0..<min(40, text.count - place), using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: text.removeSubrange(place..<place + length)
        case 1: text.insert(contentsOf: Array(text[place..<place + length]), at: place)
        case 2: text[place] = UInt8.random(in: 1...126, using: &random)
        default:
          text.insert(
            contentsOf: Array((pieces.randomElement(using: &random) ?? "").utf8), at: place)
        }
      }
      let input = String(decoding: text, as: UTF8.self)
      let result = PortReader.read(input, file: "PORT.yaml")
      // YAML has more line ends than one.
      let ends: Set<Unicode.Scalar> = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"]
      let lines = input.unicodeScalars.count { ends.contains($0) } + 1
      #expect((result.port == nil) == !result.diagnostics.isEmpty, "\(input)")
      for diagnostic in result.diagnostics {
        #expect((1...lines + 1).contains(diagnostic.position.line), "\(input)")
        #expect(!diagnostic.message.isEmpty && diagnostic.message.count < 2000)
      }
      if result.port == nil { refused += 1 }
    }
    #expect(refused > 20)
  }

  /// A console may be anything, too, and it does not matter in which pieces it comes.
  @Test func consoles_areTheSameInAnyPieces() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<50 {
      let bytes = (0..<2000).map { _ in
        [0x0A, 0x0D, 0x61, 0x62, 0x28, 0xFF, 0xC3, 0x31].randomElement(using: &random) ?? 0
      }.map(UInt8.init)
      func seen(_ size: Int) -> BootObservation {
        var watches = BootWatches()
        watches.lines["c"] = ([LinePattern("ab$"), LinePattern("1(", isLiteral: true)], false, [])
        watches.times["t"] = TimeCheck(pattern: "(1+)")
        let recorder = BootRecorder(watches)
        for start in stride(from: 0, to: bytes.count, by: size) {
          recorder.take(.guest(Array(bytes[start..<min(start + size, bytes.count)])))
        }
        recorder.end()
        return recorder.observation
      }
      let whole = seen(bytes.count)
      let pieces = seen(7)
      #expect(whole.lineCount == pieces.lineCount && whole.console.bytes == pieces.console.bytes)
      #expect(whole.times["t"]?.count == pieces.times["t"]?.count)
    }
  }
}
