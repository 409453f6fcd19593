// Debugging information that was split off its program: named by the user, found by build id, by debug
// link, or by the program's place in its tree; and refused where it is another program's.

import Foundation
import Testing

@testable import KernelImage

@Suite(.enabled(if: DwarfToolchain.isAvailable, "needs clang, ld.lld and LLVM's tools"))
struct DwarfDebugFileTests {
  private let tools: DwarfToolchain
  private let address: UInt64 = 0x40_1000

  /// A stripped program, its debug file, and nothing that connects the two but the build id.
  init() throws {
    tools = try DwarfToolchain()
    try tools.build("program", ["-gdwarf-5"])
    try tools.run("llvm-objcopy", ["--only-keep-debug", "program", "split.debug"])
    try tools.run("llvm-objcopy", ["--strip-all", "program", "bare"])
  }

  private func function(_ locator: SourceLocator) throws -> String? {
    try locator.locate([address])[0].frames.last?.function
  }

  private func move(_ name: String, to place: String) throws {
    let target = URL(fileURLWithPath: tools.path(place))
    try FileManager.default.createDirectory(
      at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: tools.path(name), toPath: target.path)
  }

  @Test func `without a debug file there is no error and no information`() throws {
    let locator = try SourceLocator(elfPath: tools.path("bare"))
    #expect(!locator.hasDebugInfo)
    #expect(try locator.locate([address]) == [SourceLocation(frames: [])])
  }

  @Test func `a named debug file is used`() throws {
    let locator = try SourceLocator(
      elfPath: tools.path("bare"), debugFile: tools.path("split.debug"))
    #expect(try function(locator) == "poll_ports")
  }

  @Test func `a debug file of another build is refused`() throws {
    try tools.build("other", ["-gdwarf-4", "-O1"])
    let error = #expect(throws: ImageError.self) {
      try SourceLocator(elfPath: tools.path("bare"), debugFile: tools.path("other"))
    }
    #expect(error?.code == .unsupported)
    #expect(error?.expected.contains("build id") == true)
  }

  @Test func `a debug file is found by build id`() throws {
    let id = try #require(try DwarfElf(path: tools.path("bare")).buildID())
    try move("split.debug", to: "root/.build-id/\(id.prefix(2))/\(id.dropFirst(2)).debug")
    let locator = try SourceLocator(
      elfPath: tools.path("bare"), debugRoots: [tools.path("root")])
    #expect(try function(locator) == "poll_ports")
  }

  @Test(arguments: ["split.debug", ".debug/split.debug"])
  func `a debug file is found by its link`(place: String) throws {
    try tools.run("llvm-objcopy", ["--add-gnu-debuglink=split.debug", "bare"])
    if place != "split.debug" { try move("split.debug", to: place) }
    #expect(try function(SourceLocator(elfPath: tools.path("bare"))) == "poll_ports")
  }

  @Test func `a linked file without a build id is held to the checksum`() throws {
    for name in ["program", "bare"] {
      try tools.run("llvm-objcopy", ["--remove-section=.note.gnu.build-id", name])
    }
    try tools.run("llvm-objcopy", ["--only-keep-debug", "program", "split.debug"])
    try tools.run("llvm-objcopy", ["--add-gnu-debuglink=split.debug", "bare"])
    #expect(try function(SourceLocator(elfPath: tools.path("bare"))) == "poll_ports")
    let handle = try #require(FileHandle(forWritingAtPath: tools.path("split.debug")))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data([0]))
    try handle.close()
    #expect(!(try SourceLocator(elfPath: tools.path("bare")).hasDebugInfo))
  }

  @Test func `a debug file is found at the program's place below a root`() throws {
    try move("split.debug", to: "root/lib/modules/6.1/ports.ko")
    try move("bare", to: "image/lib/modules/6.1/ports.ko")
    let locator = try SourceLocator(
      elfPath: tools.path("image/lib/modules/6.1/ports.ko"), debugRoots: [tools.path("root")])
    #expect(try function(locator) == "poll_ports")
  }
}
