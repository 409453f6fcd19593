// The log of translated code, read in pieces of any size.

import Foundation
import Testing

@testable import Harness

struct TranslationLogTests {
  /// As QEMU 7.2 writes it.
  private static let text = """
    ----------------
    IN: test_main
    0xffffffff80101030:  9c                       pushfq   
    0xffffffff80101031:  48 c7 84 c8 00 0a 00 00  movq     $-1, 0xa00(%rax, %rcx, 8)
    0xffffffff80101039:  ff ff ff ff

    ----------------
    IN: 
    0x00100000:  9d                       popfq    
    OBJD-T: 0x12:
    0x123456789abcdef01234:  90    nop

    """

  @Test(arguments: [1, 2, 7, 64, 4096])
  func addresses_areFound_inPiecesOfAnySize(size: Int) {
    var lines = TranslatedAddresses()
    let bytes = Array(Self.text.utf8)
    var found: [UInt64] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      found += lines.take(bytes[start..<min(start + size, bytes.count)])
    }
    #expect(
      found == [0xffff_ffff_8010_1030, 0xffff_ffff_8010_1031, 0xffff_ffff_8010_1039, 0x10_0000])
  }

  @Test func filter_hasThePagesOfTheAddresses() {
    let arguments = TranslationLog.emulatorArguments([0x3010, 0x1001, 0x2fff, 0x9000, 0x1001])
    #expect(arguments.last == "0x1000..0x3fff,0x9000..0x9fff")
    let highest = TranslationLog.emulatorArguments([.max])
    #expect(highest.last == "0xfffffffffffff000..0xffffffffffffffff")
    let many = TranslationLog.emulatorArguments((0..<5000).map { UInt64($0) * 0x10000 })
    #expect(many.last == "0x0..0x13870fff")
  }

  @Test func log_tellsWhatRan_fromThePipe() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = try TranslationLog([0x10_0000, 0x20_0000], in: folder)
    let pipe = try #require(FileHandle(forWritingAtPath: folder.appending(path: "translated").path))
    try pipe.write(contentsOf: Data(Self.text.utf8))
    try pipe.close()
    let records = try #require(log.end())
    #expect(records.map(\.place.address) == [0x10_0000, 0x20_0000])
    #expect(records.map(\.isRun) == [true, false])
  }

  @Test func machineWithoutALog_saysNothing() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = try TranslationLog([0x10_0000], in: folder)
    #expect(log.end() == nil, "nobody may say that an instruction never ran")
  }
}
