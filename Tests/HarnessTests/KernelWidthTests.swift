// Kernels of 32 bits: Rootstock takes them, and Debian's Xen has no such guests.

import Foundation
import Testing

@testable import Harness

@Suite struct KernelWidthTests {
  /// An ELF executable for i386 with nothing in it.
  private func narrowKernel() throws -> String {
    var bytes = [UInt8](repeating: 0, count: 52)
    bytes.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
    bytes[16] = 2  // an executable
    bytes[18] = 3  // for i386
    bytes[20] = 1
    bytes[40] = 52  // this header's size, and those of program headers and sections
    bytes[42] = 32
    bytes[46] = 40
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data(bytes).write(to: file)
    return file.path
  }

  @Test func narrowKernel_isTakenForRootstock() throws {
    let path = try narrowKernel()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Staging.checkKernel(path, on: .rootstock)
  }

  @Test func narrowKernel_isRefusedForXen_withTheReason() throws {
    let path = try narrowKernel()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let error = #expect(throws: HarnessError.self) {
      try Staging.checkKernel(path, on: .xen)
    }
    #expect(error?.description.contains("Debian's Xen has no 32-bit PV guests") == true)
    #expect(error?.description.hasPrefix(path) == true)
  }
}
