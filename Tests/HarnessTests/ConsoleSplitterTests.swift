// The serial line taken apart: whatever way the bytes are cut, the pieces are the same.

import Testing

@testable import Harness

@Suite struct ConsoleSplitterTests {
  static let line = "(XEN) one\r\nhello\r\n(XEN) two\r\n(XE no\r\nprompt> (XEN) text\r\n\r\nend"

  /// Guest bytes and hypervisor lines of `text`, given in chunks of `size`.
  private func split(_ text: String, size: Int) -> (guest: String, messages: [String]) {
    var splitter = ConsoleSplitter(prefix: "(XEN) ")
    var pieces: [ConsolePiece] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      pieces += splitter.take(bytes[start..<min(start + size, bytes.count)])
    }
    pieces += splitter.finish()
    var guest: [UInt8] = []
    var messages: [String] = []
    for piece in pieces {
      switch piece {
      case .guest(let bytes): guest += bytes
      case .hypervisor(let message): messages.append(message)
      }
    }
    return (String(decoding: guest, as: UTF8.self), messages)
  }

  @Test(arguments: [1, 2, 3, 5, 7, 16, 1000])
  func chunksOfAnySize_giveTheSamePieces(size: Int) {
    let (guest, messages) = split(Self.line, size: size)
    #expect(messages == ["one", "two"])
    #expect(guest == "hello\n(XE no\nprompt> (XEN) text\n\nend")
  }

  /// Splits what Rootstock sends.
  private func splitRootstock(_ text: String, size: Int) -> (guest: String, messages: [String]) {
    var splitter = ConsoleSplitter(prefix: "rootstock: ")
    var pieces: [ConsolePiece] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      pieces += splitter.take(bytes[start..<min(start + size, bytes.count)])
    }
    pieces += splitter.finish()
    var guest: [UInt8] = []
    var messages: [String] = []
    for piece in pieces {
      switch piece {
      case .guest(let bytes): guest += bytes
      case .hypervisor(let message): messages.append(message)
      }
    }
    return (String(decoding: guest, as: UTF8.self), messages)
  }

  @Test(arguments: [1, 2, 3, 5, 1000])
  func brokenLine_isPutTogether_andOthersWait(size: Int) {
    let (guest, messages) = splitRootstock(
      "one \u{16}\r\nrootstock: info: x\r\n(d1) other\r\n(d12) more\r\n(d) line\r\nnext\r\n",
      size: size)
    #expect(messages == ["info: x"])
    #expect(guest == "one (d) line\n(d1) other\n(d12) more\nnext\n")
  }

  @Test(arguments: [1, 3, 1000])
  func brokenLine_thatNeverGoesOn_isEnded(size: Int) {
    let (guest, messages) = splitRootstock(
      "prompt> \u{16}\r\n(d1) other\r\nrootstock: info: shutdown: domain=0\r\n", size: size)
    #expect(messages == ["info: shutdown: domain=0"])
    #expect(guest == "prompt> \n(d1) other\n")
  }

  @Test(arguments: [1, 1000])
  func controlCharacterInALine_isTheGuests(size: Int) {
    let (guest, messages) = splitRootstock("a\u{16}b\u{16}\u{16}c\n\u{16}\nd", size: size)
    #expect(messages.isEmpty)
    #expect(guest == "a\u{16}b\u{16}\u{16}c\n\u{16}\nd")
  }

  @Test func promptWithoutNewline_isPassedOnAtOnce() {
    var splitter = ConsoleSplitter(prefix: "(XEN) ")
    #expect(splitter.take("login: ".utf8) == [.guest(Array("login: ".utf8))])
  }

  @Test func beginningOfPrefix_isHeldBack() {
    var splitter = ConsoleSplitter(prefix: "(XEN) ")
    #expect(splitter.take("(XE".utf8) == [])
    #expect(splitter.take("N) x\n".utf8) == [.hypervisor("x")])
  }

  @Test func carriageReturnInside_isTheGuests() {
    let (guest, _) = split("a\rb\r\n", size: 1)
    #expect(guest == "a\rb\n")
  }

  @Test func endlessLineOfHypervisor_isCut() {
    let (guest, messages) = split(
      "(XEN) " + String(repeating: "x", count: 40_000) + "\nok\n", size: 512)
    #expect(messages.map(\.utf8.count).reduce(0, +) == 40_000)
    #expect(messages.allSatisfy { $0.utf8.count <= 16 << 10 })
    #expect(guest == "ok\n")
  }

  @Test func finish_insideTheNextMessage_givesTheGuestNothing() {
    var cut = ConsoleSplitter(prefix: "rootstock: ")
    #expect(cut.take(Array("rootstock: shutdown\nroot".utf8)) == [.hypervisor("shutdown")])
    #expect(cut.finish().isEmpty)
    var guest = ConsoleSplitter(prefix: "rootstock: ")
    #expect(guest.take(Array("login\nroot".utf8)) == [.guest(Array("login\n".utf8))])
    #expect(guest.finish() == [.guest(Array("root".utf8))])
  }
}
