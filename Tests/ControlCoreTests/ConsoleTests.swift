// Guests' consoles.

import CXenABI
import ControlCore
import ControlCoreTesting
import Testing
import XenABI

@Suite("Console")
struct ConsoleTests {
  /// A guest's end, and the lines that came out at the other.
  final class Setting {
    let page: UnsafeMutablePointer<Xen.XenconsInterface>
    let console: ConsoleGuest
    var stream: Xen.ByteStream?
    var lines: [String] = []

    init(prefix: String = "(d3) ", isInteractive: Bool = false) {
      page = .allocate(capacity: 1)
      page.initialize(to: Xen.XenconsInterface())
      console = ConsoleGuest(
        unsafePage: page, prefix: Bytes(prefix.utf8), isInteractive: isInteractive)
      var parts = xenabi_stream()
      _ = xencons_interface_begin_guest(&parts, page)
      stream = try? Xen.ByteStream(unsafeParts: parts)
    }

    deinit { page.deallocate() }

    func write(_ text: String) -> Int {
      Bytes(text.utf8).withUnsafeBytes { (try? stream?.write($0)) ?? 0 }
    }

    func read() -> Bytes {
      var buffer = Bytes(repeating: 0, count: 2048)
      let count = buffer.withUnsafeMutableBytes { (try? stream?.read(into: $0)) ?? 0 }
      return Bytes(buffer[..<count])
    }

    func flush() { console.flush { lines.append(String(decoding: $0, as: UTF8.self)) } }

    @discardableResult
    func run(bytes: Int = 2048) -> Progress {
      console.run(bytes: bytes) { lines.append(String(decoding: $0, as: UTF8.self)) }
    }
  }

  @Test("lines come out whole, each with its domain in front")
  func lines() {
    let setting = Setting()
    _ = setting.write("one\r\ntw")
    #expect(setting.run() == Progress(notify: true))
    #expect(setting.lines == ["(d3) one"])
    _ = setting.write("o\n\nthree")
    setting.run()
    #expect(setting.lines == ["(d3) one", "(d3) two", "(d3) "])
    #expect(setting.run() == Progress())
    setting.console.finish { setting.lines.append(String(decoding: $0, as: UTF8.self)) }
    #expect(setting.lines.last == "(d3) three")
  }

  @Test("a line without end is cut, a flood is served in parts")
  func flood() {
    let setting = Setting(prefix: "")
    let text = String(repeating: "x", count: 2048)
    #expect(setting.write(text) == 2048)
    #expect(setting.run(bytes: 100).more)
    setting.run()
    #expect(setting.lines.map(\.count) == [1024, 1024])
    #expect(setting.write(text) == 2048)
  }

  @Test("a prompt is handed over as a line that goes on, where somebody types")
  func prompt() {
    let setting = Setting(isInteractive: true)
    _ = setting.write("one\r\n/ # ")
    setting.run()
    #expect(setting.lines == ["(d3) one"])
    #expect(setting.console.isLineOpen)
    setting.flush()
    #expect(setting.lines == ["(d3) one", "(d3) / # \u{17}"])
    #expect(!setting.console.isLineOpen)
    setting.flush()
    _ = setting.write("ls\r\n\r\n")
    setting.run()
    #expect(setting.lines == ["(d3) one", "(d3) / # \u{17}", "(d3) ls", "(d3) "])
  }

  @Test("where nobody types, nothing is handed over before its end")
  func noPrompt() {
    let setting = Setting()
    _ = setting.write("/ # ")
    setting.run()
    setting.flush()
    #expect(!setting.console.isLineOpen && setting.lines.isEmpty)
  }

  @Test("a carriage return alone is kept where somebody types, wherever the pieces end")
  func carriageReturns() {
    let setting = Setting(prefix: "", isInteractive: true)
    for text in ["50 %\r", "60 %", "\r", "\n", "\r\r\n"] {
      _ = setting.write(text)
      setting.run()
    }
    #expect(setting.lines == ["50 %\r60 %", "\r"])
    let long = Setting(prefix: "", isInteractive: true)
    _ = long.write(String(repeating: "x", count: 1030) + "\n")
    long.run()
    #expect(long.lines.map(\.count) == [1025, 6])
    #expect(long.lines[0].hasSuffix("x\u{17}"))
  }

  @Test("what is typed reaches the guest as it makes room, up to a limit")
  func typing() {
    let setting = Setting()
    let typed = Bytes((0..<5000).map { UInt8(truncatingIfNeeded: $0) })
    setting.console.type(typed)
    #expect(setting.console.droppedInput == 904)
    var received: Bytes = []
    for _ in 0..<10 {
      setting.run()
      received += setting.read()
    }
    #expect(received == Bytes(typed[..<4096]))
    setting.console.type([1])
    #expect(setting.console.inputRoom == 4095)
    setting.run()
    #expect(setting.read() == [1])
  }

  @Test("impossible indexes end the service")
  func indexes() {
    for isInput in [false, true] {
      let setting = Setting()
      if isInput {
        setting.page.pointee.in_cons = setting.page.pointee.in_prod &+ 1
        setting.console.type([1])
      } else {
        setting.page.pointee.out_prod = 2049
      }
      #expect(setting.run().isBroken)
      #expect(!setting.console.isServed)
      #expect(setting.run() == Progress())
    }
  }
}
