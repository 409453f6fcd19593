// Which code names the text of a line.

import Testing

@testable import KernelImage
@testable import Validation

@Suite struct ConsoleTextTests {
  private static let base: UInt64 = 0xffff_ffff_8010_0000
  private static let data: UInt64 = 0xffff_ffff_8020_0000

  /// An image with code that names an address at one place, as it stands, and at another from there.
  private func image(_ texts: String) -> KernelImage {
    var code = [UInt8](repeating: 0x90, count: 32)
    let panic = Self.data + 8
    for index in 0..<4 {
      code[5 + index] = UInt8(truncatingIfNeeded: panic >> UInt64(8 * index))
      code[20 + index] = UInt8(truncatingIfNeeded: (panic &- (Self.base + 24)) >> UInt64(8 * index))
    }
    return KernelImage(
      path: "k", format: .elf64, width: .bits64, isRelocatable: false, buildID: nil,
      sections: [
        section(0, Self.base, code, isCode: true), section(1, Self.data, Array(texts.utf8)),
      ], symbols: [], entries: [], elfPath: nil, remarks: [])
  }

  private func section(
    _ index: Int, _ address: UInt64, _ bytes: [UInt8], isCode: Bool = false
  ) -> ImageSection {
    ImageSection(
      index: index, name: "", address: address, size: UInt64(bytes.count), isAllocated: true,
      isExecutable: isCode, isWritable: false, bytes: ImageBytes(copying: bytes))
  }

  @Test func aFormatThatALineWasMadeOf_isFound_howeverItIsNamed() {
    let text = ConsoleText(image: image("other!!\0a page table is refused: %lx\n\0more text\0"))
    #expect(
      text.users(of: "panic: a page table is refused: 80000001\r")
        == [Self.base + 5, Self.base + 20])
  }

  @Test(arguments: ["", "short", "panic: nothing that the image knows of"])
  func aLineWithoutALongTextInCommon_isOfNoCode(line: String) {
    #expect(ConsoleText(image: image("other!!\0a page table is refused\0")).users(of: line).isEmpty)
  }
}
