// What is written where, and what is refused.

import ABIGenerator
import ABISchema
import Foundation
import Testing

@testable import Scaffold

@Suite struct FolderTests {
  private let file = GeneratedFile(path: "src/a.c", text: "int a;\n")

  @Test func folderWithFiles_isRefused_andNothingIsLeft() throws {
    let place = try Workplace()
    let target = place.folder.appending(path: "there")
    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: target.appending(path: "mine"))
    #expect(throws: ScaffoldError.notEmpty(target.path)) {
      try ScaffoldFolder(path: target.path).write([file], force: false)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.folder.path) == ["there"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: target.path) == ["mine"])
  }

  @Test func force_replacesItsOwnFiles_andKeepsOthers() throws {
    let place = try Workplace()
    let target = place.folder.appending(path: "there")
    try FileManager.default.createDirectory(
      at: target.appending(path: "src"), withIntermediateDirectories: true)
    for name in ["mine", "src/a.c", "src/b.c"] {
      try Data("old".utf8).write(to: target.appending(path: name))
    }
    try ScaffoldFolder(path: target.path + "/").write([file], force: true)
    func text(_ name: String) throws -> String {
      try String(contentsOf: target.appending(path: name), encoding: .utf8)
    }
    #expect(try text("src/a.c") == "int a;\n")
    #expect(try text("src/b.c") == "old")
    #expect(try text("mine") == "old")
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.folder.path) == ["there"])
  }

  @Test func emptyFolder_isTaken_andMissingOnesAreMade() throws {
    let place = try Workplace()
    let empty = place.folder.appending(path: "empty")
    try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
    for target in [empty, place.folder.appending(path: "new")] {
      try ScaffoldFolder(path: target.path).write([file], force: false)
      let written = target.appending(path: "src/a.c").path
      #expect(FileManager.default.contents(atPath: written) == Data(file.text.utf8))
    }
  }

  @Test func fileInItsPlace_isRefused() throws {
    let place = try Workplace()
    let target = place.folder.appending(path: "file")
    try Data().write(to: target)
    #expect(throws: ScaffoldError.self) {
      try ScaffoldFolder(path: target.path).write([file], force: true)
    }
    #expect(FileManager.default.contents(atPath: target.path) == Data())
  }

  @Test(arguments: ["", "-x", "a b", "a/b", "../x", "7up", "a\"b", "é", "$(x)"])
  func name_thatIsNoFileName_isRefused(name: String) throws {
    let abi = try #require(ABILoader.embedded().abi)
    #expect(throws: ScaffoldError.name(name)) {
      try Scaffold(abi: abi).files(for: ScaffoldRequest(kind: .kernel, language: .c, name: name))
    }
  }

  @Test func templateInALanguageThatItIsNotIn_isRefused() throws {
    let abi = try #require(ABILoader.embedded().abi)
    var request = ScaffoldRequest(kind: .kernel, language: .swift)
    request.template = .webserver
    let wanted = ScaffoldError.language(kind: .kernel, found: "swift", known: ["c"])
    #expect(throws: wanted) { try Scaffold(abi: abi).files(for: request) }
  }

  @Test func driverInRustForASystemInC_isRefused() throws {
    let abi = try #require(ABILoader.embedded().abi)
    let wanted = ScaffoldError.preset(language: "rust", found: "xv6-like", known: ["bare"])
    #expect(throws: wanted) {
      let request = ScaffoldRequest(kind: .net, language: .rust, preset: .xv6Like)
      _ = try Scaffold(abi: abi).files(for: request)
    }
  }

  @Test func webserver_hasBothDrivers_andNothingOfLwip() throws {
    let abi = try #require(ABILoader.embedded().abi)
    let files = try Scaffold(abi: abi).files(
      for: ScaffoldRequest(kind: .kernel, language: .c, template: .webserver))
    let paths = Set(files.map(\.path))
    #expect(paths.count == files.count)
    #expect(
      paths.isSuperset(of: [
        "src/server.c", "src/archive.c", "src/xg_os.c", "src/pages.c", "src/traps.S",
        "frontends/src/xg_net.c", "frontends/src/xg_block.c", "fetch-lwip", "include/xenabi.h",
      ]))
    #expect(paths.isDisjoint(with: ["frontends/src/xg_console.c", "src/xg_run.c"]))
    #expect(!paths.contains { $0.contains("lwip/") })
    // The server's, and not that of the minimal kernel.
    let main = try #require(files.first { $0.path == "src/main.c" })
    #expect(main.text.contains("server_start(") && main.text.contains("webserver"))
  }

  @Test func kernelWithDevices_hasBothDrivers_andAMainOfItsOwn() throws {
    let abi = try #require(ABILoader.embedded().abi)
    let files = try Scaffold(abi: abi).files(
      for: ScaffoldRequest(kind: .kernel, language: .c, template: .devices))
    let paths = Set(files.map(\.path))
    #expect(paths.count == files.count)
    #expect(
      paths.isSuperset(of: [
        "src/udp.c", "src/xg_packet.h", "src/xg_os.c", "src/xg_life.c", "src/traps.S",
        "frontends/src/xg_net.c", "frontends/src/xg_block.c", "include/xenabi.h", "PORT.yaml",
      ]))
    #expect(paths.isDisjoint(with: ["frontends/src/xg_console.c", "src/xg_run.c"]))
    let main = try #require(files.first { $0.path == "src/main.c" })
    #expect(main.text.contains("udp_start(") && main.text.contains("kernel: a kernel with a disk"))
  }

  @Test func kernelIn32Bits_hasItsOwnMachine_andDivision() throws {
    let abi = try #require(ABILoader.embedded().abi)
    for template in ScaffoldTemplate.allCases {
      let files = try Scaffold(abi: abi).files(
        for: ScaffoldRequest(
          kind: .kernel, language: .c, template: template, architecture: .x86_32))
      #expect(Set(files.map(\.path)).count == files.count)
      let texts = Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0.text) })
      #expect(texts["src/machine.h"]?.contains("#define LEVELS 3u") == true)
      #expect(texts["src/traps.S"]?.contains("pushl") == true)
      #expect(texts["link.ld"]?.contains("KERNEL_BASE = 0xc0000000;") == true)
      #expect(texts["Makefile"]?.contains("--target=i686-unknown-none-elf") == true)
      #expect(texts["src/divide.c"] != nil)
      #expect(texts["include/xenabi/common.h"]?.contains("__x86_64__") == false)
    }
    let wide = try Scaffold(abi: abi).files(for: ScaffoldRequest(kind: .kernel, language: .c))
    #expect(!wide.contains { $0.path == "src/divide.c" })
  }

  @Test func driverIn32Bits_hasTheMachineOfItsKernel() throws {
    let abi = try #require(ABILoader.embedded().abi)
    for kind in [ScaffoldKind.console, .block, .net, .xenbus] {
      let files = try Scaffold(abi: abi).files(
        for: ScaffoldRequest(kind: kind, language: .c, architecture: .x86_32))
      #expect(Set(files.map(\.path)).count == files.count)
      let texts = Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0.text) })
      #expect(texts["system/machine.h"]?.contains("#define LEVELS 3u") == true)
      #expect(texts["Makefile"]?.contains("-m32 ") == true)
      #expect(texts["include/xenabi/common.h"]?.contains("__x86_64__") == false)
    }
  }

  @Test func otherLanguagesIn32Bits_areRefused() throws {
    let abi = try #require(ABILoader.embedded().abi)
    for language in [ScaffoldLanguage.rust, .swift] {
      for kind in ScaffoldKind.allCases {
        let refusal = ScaffoldError.architecture(
          language: language.rawValue, found: "x86_32", known: ["x86_64"])
        #expect(throws: refusal) {
          _ = try Scaffold(abi: abi).files(
            for: ScaffoldRequest(kind: kind, language: language, architecture: .x86_32))
        }
      }
    }
  }

  @Test func driversForABareKernel_haveALife_andOthersAreServed() throws {
    let abi = try #require(ABILoader.embedded().abi)
    for kind in [ScaffoldKind.block, .net] {
      for preset in ScaffoldPreset.allCases {
        let files = try Scaffold(abi: abi).files(
          for: ScaffoldRequest(kind: kind, language: .c, preset: preset))
        let run = try #require(files.first { $0.path == "src/xg_run.c" })
        #expect(run.text.contains("life_end()") == (preset == .bare))
        #expect(files.contains { $0.path == "src/xg_life.c" } == (preset == .bare))
      }
    }
  }

  @Test func embeddedTemplates_areThoseOfTheCheckout() throws {
    #expect(
      try TemplateEmbedding.bringUpToDate(checkout: checkout, write: false),
      "run xenograft templates generate")
  }

  /// Nothing of a template's own language is left in what it gives.
  @Test func files_areRenderedWhole() throws {
    let abi = try #require(ABILoader.embedded().abi)
    for kind in ScaffoldKind.allCases {
      for language in kind.languages {
        for preset in ScaffoldPreset.allCases where preset.languages.contains(language) {
          var request = ScaffoldRequest(kind: kind, language: language, preset: preset)
          request.architecture = request.architectures.last ?? .x86_64
          let files = try Scaffold(abi: abi).files(for: request)
          #expect(Set(files.map(\.path)).count == files.count)
          for file in files {
            #expect(!file.text.contains("{%") && !file.text.contains("{{ "), "\(file.path)")
            #expect(!file.path.hasSuffix(".stencil"))
          }
        }
      }
    }
  }
}
