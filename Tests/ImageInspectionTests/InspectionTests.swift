// What inspect says, in text and JSON, and that no bytes make it stop.

import ABIGenerator
import ABISchema
import Foundation
import ImageInspection
import KernelImage
import Testing

@Suite struct InspectionTests {
  let inspector: Inspector

  init() throws { inspector = Inspector(try #require(ABILoader.embedded().abi)) }

  private func inspect(_ image: GuestImage) throws -> Inspection {
    try inspector.inspect(
      BootFile(ImageBytes(copying: image.build()), path: "kernel.elf"))
  }

  /// No instruction matters here.
  private var sound: GuestImage { GuestImage(code: [0x90]) }

  @Test func text_soundImage_isAsRecorded() throws {
    try expectSnapshot(inspect(sound).text, "sound.txt")
  }

  @Test func text_faultyImage_isAsRecorded() throws {
    var image = sound
    image.remove(5)
    image.set(.quad(1, GuestImage.physical))
    image.set(.quad(2, GuestImage.code + 0x1100))
    image.notes.append(.quad(99, 1))
    try expectSnapshot(inspect(image).text, "faulty.txt")
  }

  @Test func json_faultyImage_hasTheFieldsOfTheContract() throws {
    var image = sound
    image.remove(8)
    let text = try inspect(image).json.text()
    let document = try #require(
      JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(document["schema"] as? String == "xenograft.inspect/1")
    #expect(document["boots"] as? Bool == false)
    let findings = try #require(document["findings"] as? [[String: Any]])
    #expect(findings.map { $0["rule"] as? String } == ["loader"])
    #expect(findings.allSatisfy { !(($0["cure"] as? String) ?? "").isEmpty })
  }

  @Test func domain_unalignedHypercallPage_failsThoughDomain0IsUncertain() throws {
    var image = sound
    image.set(.quad(2, GuestImage.code + 0xf00))
    let loaders = try #require(try inspect(image).protocols.first).loaders
    #expect(loaders.map(\.outcome) == [.uncertain, .fails, .fails])
  }

  @Test func pvh_entryOutside_isRefusedWhilePVBoots() throws {
    var image = sound
    image.set(.quad(18, 0x10, bytes: 4))
    let inspection = try inspect(image)
    #expect(inspection.protocols.map(\.bootProtocol) == [.pv64, .pvh])
    #expect(inspection.protocols.map(\.boots) == [true, false])
  }

  @Test func file_noKernel_isBadInput() {
    #expect(throws: ImageError.self) {
      try inspector.inspect(BootFile(ImageBytes(copying: Array("text\n".utf8)), path: "a"))
    }
    #expect(throws: ImageError.self) {
      try inspector.inspect(BootFile(ImageBytes(copying: []), path: "a"))
    }
  }

  /// Headers and notes are a guest's own: every byte of them set to extremes, and every length.
  @Test func inspect_spoiledImages_neverStops() throws {
    let bytes = sound.build()
    var judged = 0
    for position in 0..<0x500 where bytes[position] != 0 || position < 0xb0 {
      for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
        var spoiled = bytes
        spoiled[position] = value
        _ = try? inspector.inspect(BootFile(ImageBytes(copying: spoiled), path: "a")).text
        judged += 1
      }
    }
    for size in stride(from: 0, to: bytes.count, by: 61) {
      _ = try? inspector.inspect(
        BootFile(ImageBytes(copying: Array(bytes.prefix(size))), path: "a")
      ).text
      judged += 1
    }
    #expect(judged > 1000)
  }

  private func expectSnapshot(_ text: String, _ name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Snapshots/\(name)")
    if ProcessInfo.processInfo.environment["XENOGRAFT_RENEW_SNAPSHOTS"] == "1" {
      try Data(text.utf8).write(to: file, options: .atomic)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == text)
  }
}
