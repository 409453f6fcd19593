// Multiboot 2's tags: what GRUB says is read, and no tag is read beyond the total size.

import Testing

@testable import HypervisorCore

@Suite struct MultibootInformationTests {
  static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> ($0 * 8) & 255) } }
  static func long(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(value >> ($0 * 8) & 255) } }

  static func tag(_ type: UInt32, _ body: [UInt8], size: UInt32? = nil) -> [UInt8] {
    var bytes = word(type) + word(size ?? UInt32(body.count + 8)) + body
    while bytes.count % 8 != 0 { bytes.append(0) }
    return bytes
  }

  static func list(_ tags: [[UInt8]]) -> [UInt8] {
    let body = tags.flatMap(\.self) + tag(0, [])
    return word(UInt32(body.count + 8)) + word(0) + body
  }

  static let sound = list([
    tag(1, Array("policy=strict -- a".utf8) + [0]),
    tag(3, word(0x10000) + word(0x10123) + [0x61, 0]),
    tag(
      6,
      word(24) + word(0) + long(0) + long(0x9f000) + word(1) + word(0) + long(0x100000)
        + long(.max) + word(3) + word(0)), tag(14, [UInt8](repeating: 0x52, count: 20)),
    tag(77, [1, 2, 3]),
  ])

  private struct Found: Equatable {
    var types: [UInt32] = []
    var modules: [[UInt64]] = []
    var regions: [MultibootRegion] = []
    /// Every byte of every body was read.
    var length = 0
  }

  /// Reads the list from a buffer of exactly its total size; nil where the head is refused.
  private func read(_ bytes: [UInt8]) -> Found? {
    bytes.withUnsafeBytes { buffer -> Found? in
      guard let base = buffer.baseAddress else { return nil }
      let whole = ImageBytes(base, count: UInt64(buffer.count))
      guard let size = MultibootInformation.totalSize(whole),
        let part = whole.part(0, size)
      else { return nil }
      var tags = MultibootInformation(part)
      var found = Found()
      while let tag = tags.next() {
        found.types.append(tag.type)
        for index in 0..<tag.body.count { found.length += tag.body[index] >= 0 ? 1 : 0 }
        if tag.type == MultibootTagType.module, let module = tag.module {
          found.modules.append([module.start, module.end])
        }
        var regions = tag.regions
        while tag.type == MultibootTagType.memoryMap, let region = regions.next() {
          found.regions.append(region)
        }
      }
      return found
    }
  }

  @Test func tagsOfALoader_areRead() throws {
    let found = try #require(read(Self.sound))
    #expect(found.types == [1, 3, 6, 14, 77])
    #expect(found.modules == [[0x10000, 0x10123]])
    #expect(
      found.regions == [
        MultibootRegion(start: 0, end: 0x9f000, type: 1),
        MultibootRegion(start: 0x100000, end: .max, type: 3),
      ])
  }

  @Test(arguments: [
    (UInt32(0), UInt32(0)), (8, 0), (15, 0), (16, 1), (0x336e_c578, 0), ((1 << 20) + 1, 0),
    (.max, 0),
  ])
  /// One of the sizes is what hvm_start_info begins with.
  func headsOfNoLoader_areRefused(size: UInt32, reserved: UInt32) {
    let head = Self.word(size) + Self.word(reserved)
    head.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      #expect(MultibootInformation.totalSize(ImageBytes(base, count: 8)) == nil)
    }
  }

  @Test(arguments: [UInt32(0), 7, 1000, .max - 7, .max])
  func tagSizesThatLie_endTheList(size: UInt32) throws {
    let found = try #require(read(Self.list([Self.tag(77, [1]), Self.tag(3, [1], size: size)])))
    #expect(found.types == [77])
  }

  @Test func everyTotalSize_isKept() throws {
    for size in 16..<Self.sound.count {
      let cut = Self.word(UInt32(size)) + Array(Self.sound[4..<size])
      let found = try #require(read(cut))
      #expect(found.length <= size - 8)
      #expect(found.types == Array([1, 3, 6, 14, 77].prefix(found.types.count)))
    }
  }

  @Test(arguments: [UInt32(0), 8, 23, 0xffff_fff8])
  func entrySizesThatLie_giveNoRegion(size: UInt32) throws {
    let body = Self.word(size) + Self.word(0) + [UInt8](repeating: 1, count: 48)
    #expect(try #require(read(Self.list([Self.tag(6, body)]))).regions.isEmpty)
  }

  @Test func longerEntries_areSteppedOver() throws {
    let entry = Self.long(0x1000) + Self.long(0x2000) + Self.word(1) + Self.word(0)
    let body = Self.word(32) + Self.word(1) + (entry + Self.long(0)) + entry
    let found = try #require(read(Self.list([Self.tag(6, body)])))
    // The second is cut off.
    #expect(found.regions == [MultibootRegion(start: 0x1000, end: 0x3000, type: 1)])
  }

  @Test func moduleThatEndsBeforeItBegins_isNone() throws {
    let found = try #require(
      read(Self.list([Self.tag(3, Self.word(0x2000) + Self.word(0x1000)), Self.tag(3, [1, 2])])))
    #expect(found.types == [3, 3])
    #expect(found.modules.isEmpty)
  }
}
