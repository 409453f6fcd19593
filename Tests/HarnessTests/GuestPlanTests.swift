// Requests laid out as domains, and files packed as Rootstock's reader takes them apart.

import Foundation
import HypervisorCore
import Testing

@testable import Harness

@Suite struct GuestPlanTests {
  @Test func guestAlone_isOneDomain() throws {
    let plan = try GuestPlan(BootRequest(kernel: "k"))
    #expect(plan.options == "domain=kernel:0,memory:128")
    #expect(plan.kernels == ["k"])
    #expect(plan.modules.map(\.path) == ["k"])
  }

  @Test func domains_areNumberedFromTheGuestOn() throws {
    var request = BootRequest(kernel: "k")
    request.copies = 3
    var beside = GuestBeside(kernel: "b")
    beside.count = 2
    beside.initrd = "r"
    request.beside = [beside, GuestBeside(kernel: "k")]
    let plan = try GuestPlan(request)
    #expect(plan.kernels == ["k", "k", "k", "b", "b", "k"])
    #expect(plan.modules.map(\.path) == ["k", "b", "r"])
    #expect(
      plan.options
        == "domain=kernel:0,memory:128 domain=kernel:0,memory:128,count:2 "
        + "domain=kernel:1,ramdisk:2,memory:32,count:2 domain=kernel:0,memory:32 wait")
    #expect(plan.memory == 3 * 128 + 3 * 32)
    #expect(plan.vcpus == 6)
  }

  @Test func packedKernel_isUnpackedForRootstockAlone() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    // "kernel", by gzip.
    try Data([
      31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 78, 45, 202, 75, 205, 1, 0, 171, 154, 210, 93, 6, 0, 0,
      0,
    ]).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    var request = BootRequest(kernel: file.path)
    request.beside = [GuestBeside(kernel: file.path)]
    let plan = try GuestPlan(request)
    #expect(plan.modules.map(\.contents) == [Array("kernel".utf8)])
    #expect(plan.kernels == [file.path, file.path])
    #expect(plan.size == 6)
    request.hypervisor = .xen
    #expect(try GuestPlan(request).modules.map(\.contents) == [nil])
    try Data([31, 139, 8, 0, 1]).write(to: file)
    request.hypervisor = .rootstock
    #expect(throws: HarnessError.self) { try GuestPlan(request) }
  }

  @Test func moreFilesThanTheHypervisorTakes_areRefused() throws {
    var request = BootRequest(kernel: "k")
    request.beside = (1..<GuestPlan.mostModules).map { GuestBeside(kernel: "b\($0)") }
    #expect(try GuestPlan(request).modules.count == GuestPlan.mostModules)
    request.initrd = "r"
    #expect(throws: HarnessError.self) { try GuestPlan(request) }
  }

  @Test func packedFiles_areWhatTheHypervisorUnpacks() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let contents = [1, 2, 3, 4, 0, 5000].map { length in
      Data((0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ length) })
    }
    var files: [ModuleFile] = []
    for (index, data) in contents.enumerated() {
      let file = folder.appending(path: "file \(index)")
      try data.write(to: file)
      files.append(ModuleFile(path: file.path, role: "a file"))
    }
    let archive = folder.appending(path: "modules")
    try ModulePacking.write(files, to: archive)
    let bytes = try Data(contentsOf: archive)
    try bytes.withUnsafeBytes { buffer in
      let base = try #require(buffer.baseAddress)
      var reader = try #require(ModuleArchive(ImageBytes(base, count: UInt64(buffer.count))))
      for data in contents {
        guard case .member(let offset, let length) = reader.next() else {
          Issue.record("a member is missing")
          return
        }
        #expect(bytes[Int(offset)..<Int(offset + length)] == data)
      }
      #expect(reader.next() == .end)
    }
  }
}
