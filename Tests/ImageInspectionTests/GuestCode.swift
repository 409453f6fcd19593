// The machine code of Guest/guest64.S, assembled by clang.

import Foundation
import ImageInspection
import KernelImage
import Testing

enum GuestCode {
  /// `clang`, which comes with every Swift toolchain.
  static let clang: String? = {
    let paths = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return (paths.map(String.init) + ["/usr/bin"]).map { $0 + "/clang" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  static let isAvailable = clang != nil

  /// The code page, without what follows it.
  static func assemble() throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "inspect-guest-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let object = folder.appending(path: "guest.o").path
    let source = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Guest/guest64.S").path
    let process = Process()
    process.executableURL = URL(filePath: try #require(clang))
    process.arguments = ["--target=x86_64-unknown-none-elf", "-c", source, "-o", object]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "clang cannot assemble Guest/guest64.S")
    let image = try KernelImage.open(path: object)
    let text = try #require(image.sections.first { $0.name == ".text" })
    var code = Array(text.bytes.buffer)
    while code.last == 0 { code.removeLast() }
    return code
  }
}
