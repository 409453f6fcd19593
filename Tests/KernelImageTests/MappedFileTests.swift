// Files on disk: what is refused, what is noticed, and digests.

import Foundation
import Testing

@testable import KernelImage

@Suite struct MappedFileTests {
  func error(opening path: String) -> ImageError? {
    do {
      _ = try KernelImage.open(path: path)
      return nil
    } catch {
      return error
    }
  }

  @Test func fileOnDisk_isReadAndNamed() throws {
    try withTemporaryFile(SampleImages.executable().build()) { path in
      let image = try KernelImage.open(path: path)
      #expect(image.path == path && image.elfPath == path)
      #expect(image.sections.first.map { Array($0.bytes.buffer) } == SampleImages.code)
    }
  }

  @Test func whatIsNoRegularFile_isUnreadable() {
    #expect(error(opening: "/")?.code == .unreadable)
    #expect(error(opening: "/dev/zero")?.code == .unreadable)
    #expect(error(opening: "/nonexistent/vmlinux")?.code == .unreadable)
    #expect(error(opening: "a\0b")?.code == .unreadable)
    #expect(error(opening: "/nonexistent/vmlinux")?.found == "no such file or directory")
  }

  @Test func namedPipe_isRefusedWithoutWaiting() throws {
    let path = FileManager.default.temporaryDirectory.path + "/xenograft-\(UUID().uuidString)"
    try #require(mkfifo(path, 0o600) == 0)
    defer { unlink(path) }
    #expect(error(opening: path)?.code == .unreadable)
  }

  @Test func emptyFile_isOfNoFormat() throws {
    try withTemporaryFile([]) { path in
      #expect(error(opening: path)?.code == .unknownFormat)
    }
  }

  @Test func changedFile_isNoticed() throws {
    try withTemporaryFile(SampleImages.executable().build()) { path in
      let file = try MappedFile(path: path)
      try file.checkUnchanged(path: path)
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try handle.seekToEnd()
      try handle.write(contentsOf: [0])
      try handle.close()
      #expect(throws: ImageError.self) { try file.checkUnchanged(path: path) }
    }
  }

  @Test func sha256_isThatOfTheStandard() throws {
    // FIPS 180-2, appendix B.1 and the empty message.
    try withTemporaryFile("abc".utf8) { path in
      let digest = try ImageDigest.sha256(path: path)
      #expect(digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
    try withTemporaryFile([]) { path in
      let digest = try ImageDigest.sha256(path: path)
      #expect(digest == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }
  }

  @Test func sha256_ofSeveralPieces_isThatOfTheHostsTool() throws {
    let tool = HostTool(name: "sha256sum", arguments: [])
    guard tool.path != nil else { try Test.cancel("sha256sum is not on this machine") }
    let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let line = String(decoding: try tool.run(on: bytes), as: UTF8.self)
    try withTemporaryFile(bytes) { path in
      let digest = try ImageDigest.sha256(path: path)
      #expect(digest == line.prefix(64))
    }
  }
}
