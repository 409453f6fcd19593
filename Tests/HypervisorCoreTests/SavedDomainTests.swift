// A domain on the whole way: suspended, written down, saved to a file by the harness, and built again in
// another machine.

import CRootstock
import CXenABI
import Foundation
import HypervisorCoreTesting
import Testing
import X86
import XenABI

@testable import Harness
@testable import HypervisorCore

/// The memory of a bench, as the harness sees that of QEMU's machine.
private struct BenchMemory: FrameSource {
  let bench: Bench

  func frame(_ number: UInt64) -> [UInt8]? {
    guard number < UInt64(bench.machine.frameCount) else { return nil }
    return Array(
      UnsafeRawBufferPointer(start: bench.machine.words(of: MachineFrame(number)), count: 4096))
  }
}

/// A machine with a suspended domain of 1024 pages.
private struct Suspended {
  let bench = Bench(frameCount: 4096)
  let guest: Caller
  let startInfo: MachineFrame
  private static let pages: UInt64 = 1024

  init(is32Bit: Bool = false) throws {
    let owner = bench.makeDomain(0, frames: 2, privileged: true).caller
    bench.share(with: owner)
    guest = bench.makeDomain(3, frames: 0).caller
    let domain = guest.domain
    domain.pointee.pageLimit = Self.pages
    let image = (is32Bit ? ImageMaker.working32() : ImageMaker.working()).bytes()
    let state = try image.withUnsafeBytes { [bench] bytes in
      let base = try #require(bytes.baseAddress)
      let request = StartRequest(
        kernel: ImageBytes(base, count: UInt64(bytes.count)), pageCount: Self.pages,
        isInitial: false)
      return try bench.hypervisor.build(request, in: domain, servedBy: .control)
    }
    domain.pointee.isKeptSuspended = true
    guard bench.hypervisor.suspend(guest) else { throw Refused() }
    startInfo = try Self.frame(mapping: state.startInfo, in: bench, guest)
    let start = bench.machine.words(of: startInfo)
    let shared = bench.machine.words(of: try #require(domain.pointee.sharedInfo))
    let table = try #require(guest.vcpu.pointee.kernelTable)
    if is32Bit {
      try Self.tellNarrow(UnsafeMutableRawPointer(shared), UnsafeRawPointer(start), table)
    } else {
      typealias Arch = Xen.Offset.arch_shared_info
      let arch = Xen.Offset.shared_info.arch
      shared[(arch + Arch.max_pfn) / 8] = Self.pages
      shared[(arch + Arch.p2m_cr3) / 8] = table.number << 12
      shared[(arch + Arch.p2m_vaddr) / 8] = start[Xen.Offset.start_info.mfn_list / 8]
    }
    // Something that only this domain has, far from what the builder wrote.
    for page in stride(from: UInt64(100), to: 1024, by: 7) {
      try words(of: page)[3] = page &* 0x9e37_79b9_7f4a_7c15
    }
  }

  struct Refused: Error {}

  /// What a 32-bit guest tells of its list.
  private static func tellNarrow(
    _ shared: UnsafeMutableRawPointer, _ start: UnsafeRawPointer, _ table: MachineFrame
  ) throws {
    typealias Arch = Xen.OffsetX86_32.arch_shared_info
    let arch = shared + Xen.OffsetX86_32.shared_info.arch
    let list = start.load(fromByteOffset: Xen.OffsetX86_32.start_info.mfn_list, as: UInt32.self)
    let base = UInt32(table.number) << 12 | UInt32(table.number) >> 20
    arch.storeBytes(of: UInt32(pages), toByteOffset: Arch.max_pfn, as: UInt32.self)
    arch.storeBytes(of: base, toByteOffset: Arch.p2m_cr3, as: UInt32.self)
    arch.storeBytes(of: list, toByteOffset: Arch.p2m_vaddr, as: UInt32.self)
  }

  /// The words of a page, by the M2P table.
  func words(of page: UInt64) throws -> UnsafeMutablePointer<UInt64> {
    try Self.words(of: page, in: bench, guest.domain.pointee.id)
  }

  static func words(
    of page: UInt64, in bench: Bench, _ id: DomainID
  ) throws -> UnsafeMutablePointer<UInt64> {
    for number in 1..<UInt64(bench.machine.frameCount) {
      let frame = MachineFrame(number)
      if bench.hypervisor.frames[frame].pointee.owner == id,
        bench.hypervisor.frames[frame].pointee.flags.contains(.allocated),
        bench.hypervisor.physicalFrames[frame].number == page
      {
        return bench.machine.words(of: frame)
      }
    }
    throw Refused()
  }

  private static func frame(
    mapping address: GuestVirtualAddress, in bench: Bench, _ guest: Caller
  ) throws -> MachineFrame {
    var frame = try #require(guest.vcpu.pointee.kernelTable)
    let levels = guest.domain.pointee.topLevel
    for level in stride(from: levels, through: 1, by: -1) {
      let entry = PageTableEntry(
        rawValue: bench.machine.words(of: frame)[address.index(level: level)])
      guard entry.isPresent else { throw Refused() }
      frame = MachineFrame(entry.frameNumber)
    }
    return frame
  }

  /// Has it written down, with a context for its first vcpu as the machine would write it.
  func record() throws -> DomainRecord {
    let record = try bench.hypervisor.record(guest.domain, startInfo: startInfo)
    typealias Context = Xen.Offset.vcpu_guest_context
    let low = bench.machine.words(of: record[0])
    let high = bench.machine.words(of: record[1])
    func put(_ value: UInt64, at offset: Int) {
      (offset < 4096 ? low + offset / 8 : high + (offset - 4096) / 8).pointee = value
    }
    put(UInt64(VGCF_in_kernel), at: Context.flags)
    // The upper half is none of a 32-bit domain's.
    put(0xffff_ffff_8000_0123, at: Context.user_regs + Xen.Offset.cpu_user_regs.rip)
    put(try #require(guest.vcpu.pointee.kernelTable).number << 12, at: Context.ctrlreg + 24)
    bench.machine.words(of: record[3])[0] = 1
    bench.machine.words(of: record[3])[1] = 1
    return record
  }

  /// The file's bytes.
  func save() throws -> [UInt8] {
    let record = try record()
    let saver = try DomainSaver(record: record.frame.address.value, in: BenchMemory(bench: bench))
    let file = FileManager.default.temporaryDirectory.appending(path: "saved-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    try saver.save(to: file)
    #expect(SavedDomainFile.isSaved(file))
    let told = try SavedDomainFile(path: file)
    #expect(told.vcpus == 2 && told.memory == 4)
    return Array(try Data(contentsOf: URL(filePath: file)))
  }
}

/// A machine that a saved domain is restored in.
private struct Restored {
  let bench = Bench(frameCount: 4096)
  let guest: Caller
  private(set) var starts: [Int: VCPUStart] = [:]
  private(set) var error: ImageError?

  init(_ bytes: [UInt8]) throws {
    let owner = bench.makeDomain(0, frames: 2, privileged: true).caller
    bench.share(with: owner)
    // Others have frames that the saved domain had in its machine.
    _ = bench.makeDomain(5, frames: 100)
    guest = bench.makeDomain(1, frames: 0).caller
    guest.domain.pointee.pageLimit = 1024
    guest.vcpu.pointee.isInitialised = false
    guest.vcpu.pointee.isUp = false
    var starts: [Int: VCPUStart] = [:]
    do {
      try bytes.withUnsafeBytes { [bench, guest] bytes in
        let base = try #require(bytes.baseAddress)
        let image = try SavedImage(ImageBytes(base, count: UInt64(bytes.count)))
        try bench.hypervisor.restore(image, in: guest.domain) { starts[$0] = $1 }
      }
    } catch let fault as ImageError {
      error = fault
    }
    self.starts = starts
  }

  func die() throws {
    bench.hypervisor.beginDeath(of: guest.domain)
    try bench.hypervisor.continueDeath(of: guest.domain)
    #expect(bench.hypervisor.finishDeath(of: guest.domain))
    // As the machine does with its vcpus.
    for index in 0..<guest.domain.pointee.vcpuCount {
      bench.hypervisor.freeMonitorTable(of: guest.domain.pointee.vcpus[index])
    }
    try bench.recount()
  }
}

@Suite struct SavedDomainTests {
  @Test(arguments: [false, true])
  func savedDomain_isBuiltAgain_withAllThatItHad(is32Bit: Bool) throws {
    let suspended = try Suspended(is32Bit: is32Bit)
    let bytes = try suspended.save()
    let restored = try Restored(bytes)
    #expect(restored.error == nil)
    try restored.bench.recount()
    #expect(restored.guest.domain.pointee.pageCount == 1024)
    for page in stride(from: UInt64(100), to: 1024, by: 7) {
      let words = try Suspended.words(of: page, in: restored.bench, DomainID(1))
      #expect(words[3] == page &* 0x9e37_79b9_7f4a_7c15)
    }
    #expect(restored.guest.domain.pointee.is32Bit == is32Bit)
    let start = try #require(restored.starts[0])
    #expect(start.registers.rip == (is32Bit ? 0x8000_0123 : 0xffff_ffff_8000_0123))
    #expect(start.registers.cs & 3 == (is32Bit ? 1 : 3), "the kernel's ring")
    #expect(restored.starts[1] == nil, "one that was never initialised")
    #expect(restored.guest.vcpu.pointee.isUp && restored.guest.vcpu.pointee.isInitialised)
    let table = try #require(restored.guest.vcpu.pointee.kernelTable)
    #expect(restored.bench.hypervisor.frames[table].pointee.flags.contains(.pinned))
    #expect(
      restored.bench.hypervisor.frames[table].pointee.type == (is32Bit ? .level3 : .level4))
    if is32Bit { try compareHighTable(restored, table) }
    try compareLists(restored)
    try restored.die()
  }

  /// The fourth table of level 2 ends in the hypervisor's entries, and a table of the hypervisor's
  /// stands above all.
  private func compareHighTable(_ restored: Restored, _ table: MachineFrame) throws {
    let bench = restored.bench
    let entry = PageTableEntry(rawValue: bench.machine.words(of: table)[3])
    let high = MachineFrame(entry.frameNumber)
    #expect(bench.hypervisor.frames[high].pointee.type == .level2High)
    let window = PageTableEntry(rawValue: bench.machine.words(of: high)[480])
    #expect(window.frameNumber == Bench.compatWindow.number)
    let monitor = try #require(restored.guest.vcpu.pointee.monitorTable)
    let top = PageTableEntry(rawValue: bench.machine.words(of: monitor)[0])
    #expect(top.frameNumber == table.number)
  }

  /// The guest's own list names the frames that it has now, and start_info its new page and ports.
  private func compareLists(_ restored: Restored) throws {
    let bench = restored.bench
    var listed = 0
    for number in 1..<UInt64(bench.machine.frameCount) {
      let frame = MachineFrame(number)
      let record = bench.hypervisor.frames[frame].pointee
      guard record.owner == DomainID(1), record.flags.contains(.allocated) else { continue }
      let words = bench.machine.words(of: frame)
      let halves = UnsafeRawPointer(words)
      let is32Bit = restored.guest.domain.pointee.is32Bit
      func word(_ index: Int) -> UInt64 {
        is32Bit ? UInt64(halves.load(fromByteOffset: index * 4, as: UInt32.self)) : words[index]
      }
      let isList = (0..<512).allSatisfy { page in
        let entry = MachineFrame(word(page))
        return entry.number > 0 && entry.number < UInt64(bench.machine.frameCount)
          && bench.hypervisor.physicalFrames[entry].number == UInt64(page)
          && bench.hypervisor.frames[entry].pointee.owner == DomainID(1)
      }
      listed += isList ? 1 : 0
      if words[0] == 0x2d30_2e33_2d6e_6578 {
        let shared = try #require(restored.guest.domain.pointee.sharedInfo)
        typealias Wide = Xen.Offset.start_info
        typealias Narrow = Xen.OffsetX86_32.start_info
        let wiring = restored.guest.domain.pointee.wiring
        let (page, store) =
          is32Bit
          ? (word(Narrow.shared_info / 4), word(Narrow.store_mfn / 4))
          : (words[Wide.shared_info / 8], words[Wide.store_mfn / 8])
        #expect(page == shared.address.value)
        #expect(store == wiring.storePage?.number)
      }
    }
    #expect(listed == 1)
  }

  @Test func record_goesWithTheSuspension() throws {
    let suspended = try Suspended()
    let before = suspended.bench.hypervisor.state.pointee.freeCount
    _ = try suspended.record()
    let after = suspended.bench.hypervisor.state.pointee.freeCount
    #expect(after < before)
    _ = try suspended.record()
    #expect(suspended.bench.hypervisor.state.pointee.freeCount == after)
    try suspended.bench.hypervisor.resume(
      suspended.guest.domain, asNew: false, startInfo: suspended.startInfo)
    #expect(suspended.bench.hypervisor.state.pointee.freeCount == before)
    #expect(throws: HypercallError.self) { try suspended.record() }
    try suspended.bench.recount()
  }

  @Test func domainThatCannotBeRestored_isNotSaved() throws {
    func fault(_ change: (Suspended) throws -> Void) throws -> String {
      let suspended = try Suspended()
      try change(suspended)
      let record = try suspended.record()
      var text = "saved"
      do throws(SaveFault) {
        let saver = try DomainSaver(
          record: record.frame.address.value, in: BenchMemory(bench: suspended.bench))
        try saver.write { _ throws(SaveFault) in }
      } catch {
        text = error.text
      }
      return text
    }
    let arch = Xen.Offset.shared_info.arch
    #expect(try fault { _ in } == "saved")
    #expect(
      try fault { one in
        let shared = try #require(one.guest.domain.pointee.sharedInfo)
        one.bench.machine.words(of: shared)[
          (arch + Xen.Offset.arch_shared_info.max_pfn) / 8] = 0
      }.contains("does not tell where its P2M list is"))
    #expect(
      try fault { one in
        let shared = try #require(one.guest.domain.pointee.sharedInfo)
        one.bench.machine.words(of: shared)[
          (arch + Xen.Offset.arch_shared_info.p2m_vaddr) / 8] = 0x7000_0000_0000
      }.contains("is not mapped"))
    #expect(
      try fault { one in
        one.bench.hypervisor.physicalFrames[one.startInfo] = PseudoPhysicalFrame(7)
      }.contains("page 7"))
  }

  /// Whatever a file holds, the machine stays sound, and the domain can be taken apart.
  @Test(arguments: [false, true])
  func alteredFiles_areRefusedOrBuildASoundDomain(is32Bit: Bool) throws {
    let bytes = try Suspended(is32Bit: is32Bit).save()
    var random = SystemRandomNumberGenerator()
    var refused = 0
    for round in 0..<150 {
      var altered = bytes
      if round % 10 == 0 {
        altered.removeLast(Int.random(in: 1..<altered.count, using: &random))
      }
      for _ in 0...Int.random(in: 0..<4, using: &random) where !altered.isEmpty {
        // Half of the changes hit what has a meaning: header, contexts, table.
        let end = Bool.random(using: &random) ? min(altered.count, 12 * 4096) : altered.count
        let place = Int.random(in: 0..<end, using: &random) & ~7
        let value = UInt64.random(in: 0...UInt64.max, using: &random)
        let shift = UInt64.random(in: 0..<64, using: &random)
        for byte in 0..<8 where place + byte < altered.count {
          altered[place + byte] ^= UInt8(truncatingIfNeeded: (value >> shift) >> UInt64(byte * 8))
        }
      }
      // An empty buffer has no address.
      altered += altered.isEmpty ? [0] : []
      let restored = try Restored(altered)
      if restored.error != nil { refused += 1 }
      try restored.bench.recount()
      try restored.die()
    }
    #expect(refused > 25)
  }

  @Test func files_areCheckedBeforeTheyAreUsed() throws {
    let bytes = try Suspended().save()
    let file = FileManager.default.temporaryDirectory.appending(path: "saved-\(UUID())")
    defer { try? FileManager.default.removeItem(at: file) }
    func found(_ bytes: [UInt8]) throws -> String {
      try Data(bytes).write(to: file)
      do throws(HarnessError) {
        _ = try SavedDomainFile(path: file.path)
        return "good"
      } catch {
        return error.description
      }
    }
    #expect(try found(bytes) == "good")
    #expect(try found([]).contains("expected a saved domain, found none"))
    #expect(try found(Array("hello".utf8)).contains("found none"))
    #expect(try found(Array(bytes.prefix(100))).contains("100 bytes of one"))
    #expect(try found(Array(bytes.dropLast())).contains("found \(bytes.count - 1)"))
    #expect(try found(bytes + [0]).contains("found \(bytes.count + 1)"))
    for place in [12, 40, 5000, bytes.count - 1] {
      var altered = bytes
      altered[place] ^= 1
      #expect(try found(altered).contains("found"), "byte \(place)")
    }
    var other = bytes
    other[8] = 3
    #expect(try found(other).contains("version 3"))
  }
}
