// Sound images boot; each fault is found, named and has a cure; nothing hostile traps.

import ABIGenerator
import ABISchema
import BootInspection
import Foundation
import KernelImage
import Testing

@Suite struct InspectorTests {
  static let abi = ABILoader.embedded().abi

  private func pv(_ file: [UInt8]) throws -> (BootReport, BootVerdict) {
    let abi = try #require(Self.abi)
    let report = Inspector(abi, memory: 64 << 20).inspect(ImageBytes(copying: file), path: "image")
    return (report, try #require(report.verdicts.first { $0.bootProtocol == .xenPV }))
  }

  @Test(arguments: BootCases.all)
  func inspect_image_isJudged(_ image: BootCase) throws {
    let (report, verdict) = try pv(image.file)
    #expect(verdict.isAccepted == image.isAccepted, "\(report.text)")
    let refusals = verdict.findings.filter { $0.severity == .refused }
    if image.isAccepted {
      #expect(refusals.isEmpty)
      if let subject = image.subject {
        #expect(verdict.findings.contains { $0.subject == subject }, "\(report.text)")
      }
    } else {
      #expect(refusals.contains { $0.subject == image.subject }, "\(report.text)")
    }
    #expect(verdict.findings.allSatisfy { !$0.cure.isEmpty })
  }

  @Test func cases_areAtLeastForty() {
    #expect(BootCases.all.count >= 40)
    print("\(BootCases.all.count) images")
  }

  @Test func inspect_pvhEntry_mustLieInTheImage() throws {
    let abi = try #require(Self.abi)
    for (entry, isAccepted) in [(0x10_0000 as UInt64, true), (0x50_0000, false)] {
      let file = KernelBuilder().with(18, .short(18, UInt32(entry))).build()
      let report = Inspector(abi).inspect(ImageBytes(copying: file), path: "image")
      let verdict = try #require(report.verdicts.first { $0.bootProtocol == .pvh })
      #expect(verdict.isAccepted == isAccepted)
    }
  }

  @Test func inspect_damagedImages_neverTrap() throws {
    let abi = try #require(Self.abi)
    let sound = KernelBuilder().with(18, .short(18, 0x10_0000)).build()
    var state: UInt64 = 42
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(truncatingIfNeeded: (state >> 33) % UInt64(bound))
    }
    for _ in 0..<3_000 {
      var file = sound
      for _ in 0...next(6) {
        file[next(0x400)] = [0, 0xFF, 0x7F, 0x80, UInt8(next(256))][next(5)]
      }
      if next(4) == 0 { file = Array(file.prefix(next(file.count))) }
      let report = Inspector(abi).inspect(ImageBytes(copying: file), path: "image")
      #expect(!report.text.isEmpty)
    }
  }

  @Test func report_json_hasTheContractsParts() throws {
    let (report, _) = try pv(KernelBuilder().build())
    let parsed = try JSONSerialization.jsonObject(with: Data(report.json.text().utf8))
    let document = try #require(parsed as? [String: Any])
    #expect(document["schema"] as? String == "xenograft.inspect/1")
    #expect(document["boots"] as? Bool == true)
    #expect((document["notes"] as? [Any])?.count == 7)
    #expect(!(document["layout"] as? [Any] ?? []).isEmpty)
  }
}
