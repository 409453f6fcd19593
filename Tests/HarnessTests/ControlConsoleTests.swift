// The lines of guests and those of the control domain, which share one serial line.

import Testing

@testable import Harness

@Suite struct ControlConsoleTests {
  private func pieces(_ text: String, plain: Int?, size: Int) -> [ControlConsole.Piece] {
    var console = ControlConsole(plain: plain)
    var pieces: [ControlConsole.Piece] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      pieces += console.take(Array(bytes[start..<min(start + size, bytes.count)]))
    }
    return pieces + console.finish()
  }

  private func guest(_ text: String) -> ControlConsole.Piece { .guest(Array(text.utf8)) }

  @Test(arguments: [1, 3, 1000])
  func singleGuest_losesItsNumber(size: Int) {
    let text = "controldomain: serves\n(d1) one\n(d1) (d1) two\n(d12) three\n(d1) end"
    #expect(
      pieces(text, plain: 1, size: size) == [
        .control("serves"), guest("one\n"), guest("(d1) two\n"), guest("(d12) three\n"),
        guest("end"),
      ])
  }

  @Test func severalGuests_keepTheirs() {
    #expect(
      pieces("(d1) one\n(d2) two\n", plain: nil, size: 7) == [
        guest("(d1) one\n"), guest("(d2) two\n"),
      ])
  }

  @Test(arguments: ["(d) x", "(d1)x", "(dx) y", "d1) x", "(d1", "", "x"])
  func otherLines_areTheControlDomains(text: String) {
    #expect(pieces(text + "\n", plain: 1, size: 1) == [.control(text)])
  }

  @Test(arguments: [1, 3, 1000])
  func lineThatGoesOn_isOne_whereSomebodyTypes(size: Int) {
    var console = ControlConsole(plain: 1, isInteractive: true)
    var text: [UInt8] = []
    let bytes = Array("(d1) / # \u{17}\ncontroldomain: x\n(d1) ls\n(d1) \u{17}\n(d1) end\n".utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      for piece in console.take(Array(bytes[start..<min(start + size, bytes.count)])) {
        if case .guest(let part) = piece { text += part }
      }
    }
    #expect(String(decoding: text, as: UTF8.self) == "/ # ls\nend\n")
    // Where nobody types, such a line is the guest's own.
    #expect(pieces("(d1) a\u{17}\n", plain: 1, size: size) == [guest("a\u{17}\n")])
  }

  @Test func guest_cannotForgeTheControlDomain() {
    #expect(
      pieces("(d1) controldomain: serves\n", plain: 1, size: 5) == [
        guest("controldomain: serves\n")
      ])
  }
}
