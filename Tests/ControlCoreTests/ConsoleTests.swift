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

    init(prefix: String = "(d3) ") {
      page = .allocate(capacity: 1)
      page.initialize(to: Xen.XenconsInterface())
      console = ConsoleGuest(unsafePage: page, prefix: Bytes(prefix.utf8))
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
