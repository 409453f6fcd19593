// Every driver for every system: it compiles without a word, has its own parts and no other, and wants
// nothing of a kernel that its headers do not declare.

import ABISchema
import Foundation
import Testing

@testable import Scaffold

@Suite struct DriverTests {
  private static let kinds: [ScaffoldKind] = [.console, .block, .net, .xenbus]

  @Test(arguments: kinds, ScaffoldPreset.allCases)
  func driver_compilesAsItComesOut(kind: ScaffoldKind, preset: ScaffoldPreset) throws {
    try compile(ScaffoldRequest(kind: kind, language: .c, preset: preset))
  }

  @Test(arguments: kinds, ScaffoldPreset.allCases)
  func driverOf32Bits_compilesAsItComesOut(kind: ScaffoldKind, preset: ScaffoldPreset) throws {
    try compile(
      ScaffoldRequest(kind: kind, language: .c, preset: preset, architecture: .x86_32))
  }

  /// What the linker takes from the kernel without a declaration of its own.
  private static let always: Set<String> = [
    "hypercall_page", "memcpy", "memset", "memcmp", "memmove",
    "__udivdi3", "__umoddi3", "__divdi3", "__moddi3",
  ]

  private func compile(_ request: ScaffoldRequest) throws {
    let place = try Workplace()
    let project = try place.generate(request)
    try place.build(project)
    let undefined = try place.run(["make", "-s", "undefined"], in: project)
    #expect(undefined.status == 0)
    let declared = try headers(of: project)
    for symbol in undefined.text.split(separator: "\n").map(String.init) {
      if Self.always.contains(symbol) { continue }
      #expect(declared.contains(symbol), "\(symbol) is used and declared nowhere in system/")
    }
  }

  private func headers(of project: URL) throws -> String {
    let system = project.appending(path: "system")
    let names = try FileManager.default.subpathsOfDirectory(atPath: system.path)
    return try names.filter { $0.hasSuffix(".h") }
      .map { try String(contentsOf: system.appending(path: $0), encoding: .utf8) }.joined()
  }

  /// The kernel's Makefile makes the linker take the driver in, so that each of its symbols must be found.
  @Test(arguments: kinds, Architecture.allCases)
  func bareDriver_linksIntoTheGeneratedKernel(kind: ScaffoldKind, architecture: Architecture) throws
  {
    let place = try Workplace()
    let kernel = try place.generate(
      ScaffoldRequest(kind: .kernel, language: .c, architecture: architecture), as: "kernel")
    let driver = try place.generate(
      ScaffoldRequest(kind: kind, language: .c, architecture: architecture), as: "driver")
    try place.build(driver, ["SYSTEM=\(kernel.path)/src"])
    let archive = "\(driver.path)/libxen-\(kind.rawValue).a"
    try place.build(kernel, ["LIBRARIES=\(archive)"])
  }

  /// By itself, and as a part of the generated kernel, whose last act it is.
  @Test(.enabled(if: KernelTests.has("rustc"), "needs rustc"), arguments: kinds)
  func driverInRust_compilesAndIsBuiltIntoTheGeneratedKernel(kind: ScaffoldKind) throws {
    let place = try Workplace()
    let kernel = try place.generate(ScaffoldRequest(kind: .kernel, language: .rust), as: "kernel")
    let driver = try place.generate(ScaffoldRequest(kind: kind, language: .rust), as: "driver")
    try place.build(driver)
    try place.build(kernel, ["DRIVER=\(driver.path)"])
    let found = try place.run(["grep", "-c", "the driver ends with error", "kernel"], in: kernel)
    #expect(found.status == 0)
  }

  /// By itself, and linked into the generated kernel, whose last act it is.
  @Test(arguments: kinds)
  func driverInSwift_compilesAndLinksIntoTheGeneratedKernel(kind: ScaffoldKind) throws {
    let place = try Workplace()
    let kernel = try place.generate(ScaffoldRequest(kind: .kernel, language: .swift), as: "kernel")
    let driver = try place.generate(ScaffoldRequest(kind: kind, language: .swift), as: "driver")
    try place.build(driver)
    try place.build(driver, ["-B", "SYSTEM=\(kernel.path)/Kernel"])
    try place.build(kernel, ["LIBRARIES=\(driver.path)/libxen-\(kind.rawValue).a"])
    let found = try place.run(["grep", "-c", "the driver ends with error", "kernel"], in: kernel)
    #expect(found.status == 0)
  }

  @Test func partsInSwift_areThoseThatTheKindNeeds() {
    func names(_ kind: ScaffoldKind) -> Set<String> {
      Set(
        DriverPart.parts(of: ScaffoldRequest(kind: kind, language: .swift)).map {
          String($0.path.dropFirst(10))
        })
    }
    #expect(names(.console) == ["Console.swift", "Events.swift", "PortingLayer.swift"])
    #expect(names(.block).isSuperset(of: ["BlockDevice.swift", "BlockPiece.swift", "Bus.swift"]))
    #expect(names(.block).isDisjoint(with: ["NetDevice.swift", "NetSend.swift", "Console.swift"]))
    #expect(names(.net).isSuperset(of: ["NetDevice.swift", "NetReceive.swift", "Grants.swift"]))
    #expect(names(.xenbus).isDisjoint(with: ["BlockDevice.swift", "NetDevice.swift"]))
  }

  @Test func partsInRust_areThoseThatTheKindNeeds() {
    func names(_ kind: ScaffoldKind) -> Set<String> {
      Set(
        DriverPart.parts(of: ScaffoldRequest(kind: kind, language: .rust)).compactMap {
          $0.path.split(separator: "/").last.map(String.init)
        })
    }
    #expect(
      names(.console) == ["console.rs", "error.rs", "events.rs", "lib.rs", "system.rs"])
    #expect(
      names(.block).isSuperset(of: ["block.rs", "block_connect.rs", "block_piece.rs", "bus.rs"]))
    #expect(names(.block).isDisjoint(with: ["net.rs", "net_send.rs", "console.rs"]))
    #expect(names(.net).isSuperset(of: ["net.rs", "net_send.rs", "net_receive.rs", "grants.rs"]))
    #expect(names(.xenbus).isDisjoint(with: ["block.rs", "net.rs", "shared.rs", "console.rs"]))
    let library = DriverPart.parts(of: ScaffoldRequest(kind: .net, language: .rust)).first {
      $0.path.hasSuffix("/lib.rs")
    }
    #expect(library?.text.contains("pub mod net;") == true)
    #expect(library?.text.contains("mod block") == false)
  }

  @Test func parts_areThoseThatTheKindNeeds() {
    func names(_ kind: ScaffoldKind) -> Set<String> {
      Set(
        DriverPart.parts(of: ScaffoldRequest(kind: kind, language: .c)).compactMap {
          $0.path.split(separator: "/").last.map(String.init)
        })
    }
    #expect(names(.console).contains("xg_console.c"))
    #expect(
      names(.console).isDisjoint(with: ["xg_store.c", "xg_grant.c", "xg_block.c", "xg_net.c"]))
    #expect(names(.block).isSuperset(of: ["xg_block.c", "xg_block_connect.c", "xg_store.c"]))
    #expect(names(.block).isDisjoint(with: ["xg_net.c", "xg_screen.c", "xg_balloon.c"]))
    #expect(names(.net).isSuperset(of: ["xg_net.c", "xg_net_send.c", "xg_net_receive.c"]))
    #expect(names(.net).isDisjoint(with: ["xg_block.c", "xg_control.c"]))
    #expect(names(.xenbus).isDisjoint(with: ["xg_block.c", "xg_net.c", "xg_console.c"]))
  }
}
