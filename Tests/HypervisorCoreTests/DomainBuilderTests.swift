import Foundation
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct DomainBuilderTests {
  /// A domain of 8 MiB on a machine of 16 MiB, built from an image; nil with the error.
  private struct Built {
    let bench = Bench(frameCount: 4096)
    let caller: Caller
    private(set) var state: StartState?
    private(set) var error: ImageError?

    init(
      _ image: [UInt8], ramdisk: [UInt8] = [], line: String = "", pages: UInt64 = 2048,
      isInitial: Bool = true
    ) {
      caller = bench.makeDomain(1, frames: 0).caller
      caller.domain.pointee.pageLimit = pages
      let line = Array(line.utf8)
      image.withUnsafeBytes { kernel in
        ramdisk.withUnsafeBytes { disk in
          line.withUnsafeBytes { text in
            guard let base = kernel.baseAddress else { return }
            var request = StartRequest(
              kernel: ImageBytes(base, count: UInt64(kernel.count)), pageCount: pages,
              isInitial: isInitial)
            if let base = disk.baseAddress {
              request.ramdisk = ImageBytes(base, count: UInt64(disk.count))
            }
            if let base = text.baseAddress {
              request.commandLine = ImageBytes(base, count: UInt64(text.count))
            }
            do throws(ImageError) {
              state = try bench.hypervisor.build(request, in: caller.domain)
            } catch {
              self.error = error
            }
          }
        }
      }
    }

    /// The word at a guest address, through the page tables that were built.
    func word(_ address: UInt64) -> UInt64? {
      guard var table = caller.vcpu.pointee.kernelTable else { return nil }
      for level in [4, 3, 2, 1] {
        let entry = bench.machine.words(of: table)[
          GuestVirtualAddress(address).index(level: level)]
        guard entry & 1 != 0 else { return nil }
        table = MachineFrame(entry >> 12 & 0xff_ffff_ffff)
      }
      return bench.machine.words(of: table)[Int(address & 0xfff) / 8]
    }
  }

  private let base: UInt64 = 0xffff_ffff_8000_0000

  @Test func build_smallKernel_isLaidOutAsTheABISays() throws {
    let ramdisk = [UInt8](repeating: 0x5a, count: 6000)
    let built = Built(ImageMaker.working().bytes(), ramdisk: ramdisk, line: "quiet x=1")
    #expect(built.error == nil)
    guard let state = built.state else { return }
    #expect(state.entry.value == base)
    #expect(built.word(base) == 0x9090_9090_9090_9090)
    // 3 pages of image, of which the second is the hypercall page; 2 of ramdisk, 4 of P2M list.
    #expect(built.word(base + 0x1000) == 0xb853_4151)
    #expect(built.word(base + 0x1000 + 23 * 32) == 0x0000_17b8_5053_4151)
    #expect(built.word(base + 0x3000) == 0x5a5a_5a5a_5a5a_5a5a)
    let info = state.startInfo.value
    #expect(info == base + 0x9000)
    #expect(built.word(info) == 0x2d30_2e33_2d6e_6578, "xen-3.0-")
    #expect(built.word(info + 32) == 2048)
    #expect(built.word(info + 48) == 2)
    #expect(built.word(info + 88) == base + 0xa000, "pt_base")
    #expect(built.word(info + 96) == 5, "an L4, an L3, an L2 and two L1")
    #expect(built.word(info + 104) == base + 0x5000, "mfn_list")
    #expect(built.word(info + 112) == base + 0x3000, "mod_start")
    #expect(built.word(info + 120) == 6000)
    #expect(built.word(info + 128) == 0x3d78_2074_6569_7571)
    #expect(state.stack.value == base + 0x10000)
    // At least 512 KiB behind the stack, to a multiple of 4 MiB.
    #expect(built.word(base + 0x3f_f000) == 0)
    #expect(built.word(base + 0x40_0000) == nil)
    try built.bench.recount()
  }

  @Test func build_listAndTables_agreeWithTheM2P() throws {
    let built = Built(ImageMaker.working().bytes())
    guard let state = built.state, let list = built.word(state.startInfo.value + 104) else {
      Issue.record("not built: \(String(describing: built.error))")
      return
    }
    for page in [0, 1, 7, 500, 1023, 2047] as [UInt64] {
      let frame = try #require(built.word(list + page * 8))
      #expect(built.bench.hypervisor.physicalFrames[MachineFrame(frame)].number == page)
      #expect(built.bench.hypervisor.frames[MachineFrame(frame)].pointee.owner == DomainID(1))
    }
    #expect(built.caller.domain.pointee.pageCount == 2048, "borrowed frames are back")
  }

  @Test func build_tables_areMappedReadOnlyAndPinned() throws {
    let built = Built(ImageMaker.working().bytes())
    let top = try #require(built.caller.vcpu.pointee.kernelTable)
    let record = built.bench.hypervisor.frames[top].pointee
    #expect(record.type == .level4)
    #expect(record.flags.contains(.pinned))
    #expect(record.typeUses == 2)
    let info = try #require(built.state).startInfo.value
    let tables = try #require(built.word(info + 88))
    let result = built.bench.finish(HypercallArguments(tables, top.number << 12 | 7, 0)) {
      built.bench.hypervisor.updateVAMapping(&$0, from: built.caller)
    }
    #expect(result == Answer.busy)
  }

  @Test func build_ordinaryDomain_hasStoreAndConsolePages() throws {
    let built = Built(ImageMaker.working().bytes(), isInitial: false)
    let state = try #require(built.state)
    #expect(built.word(state.startInfo.value + 56) == state.storePage?.number)
    #expect(built.word(state.startInfo.value + 72) == state.consolePage?.number)
    #expect(built.word(state.startInfo.value + 48) == 0)
    #expect(state.storePage != nil && state.storePage != state.consolePage)
  }

  @Test func build_listElsewhere_isMappedThereWithItsTables() throws {
    var maker = ImageMaker.working()
    maker.notes += [(15, ImageMaker.number(1 << 39)), (16, ImageMaker.number(1))]
    let built = Built(maker.bytes(), ramdisk: [UInt8](repeating: 7, count: 100))
    let info = try #require(built.state).startInfo.value
    #expect(built.word(info + 104) == 1 << 39)
    let frame = try #require(built.word(1 << 39))
    #expect(built.bench.hypervisor.physicalFrames[MachineFrame(frame)].number == 0)
    #expect(built.word(info + 48) == 2 | 8)
    #expect(built.word(info + 112) == 1024, "the first frame behind the region")
    #expect(built.word(info + 1152) == 1025)
    #expect(built.word(info + 1160) == 4 + 3)
    try built.bench.recount()
  }

  @Test func build_oldSection_isUnderstood() throws {
    var maker = ImageMaker()
    maker.guestSection =
      "GUEST_OS=linux,XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000,"
      + "HYPERCALL_PAGE=0x2,FEATURES=!writable_page_tables|unknown"
    maker.segments = [(0xffff_ffff_8000_0000, [UInt8](repeating: 0x90, count: 64), 0x3000)]
    let built = Built(maker.bytes())
    #expect(built.error == nil)
    #expect(built.word(base + 0x2000) == 0xb853_4151)
  }

  @Test(arguments: [
    (5 as UInt32, ImageMaker.text("xen-2.0"), ImageError.wrongVersion),
    (8, ImageMaker.text("other"), .wrongLoader),
    (10, ImageMaker.text("a|!supervisor_mode_kernel"), .unknownFeature),
    (1, ImageMaker.number(0x1000), .badAddresses), (1, ImageMaker.number(~0), .badAddresses),
    (3, ImageMaker.number(0xffff_8000_0000_0000), .badAddresses),
    (4, ImageMaker.number(1 << 50), .badAddresses),
    (2, ImageMaker.number(0), .hypercallPageOutside),
    (2, ImageMaker.number(0xffff_ffff_8040_0000), .hypercallPageOutside),
    (2, ImageMaker.number(0xffff_ffff_8000_0008), .hypercallPageOutside),
    (15, ImageMaker.number(0xffff_ffff_8000_1000), .badListAddress),
    (15, ImageMaker.number(0xffff_8000_0000_0000), .badListAddress),
    (15, ImageMaker.number(0xffff_ffff_ffff_f000), .badListAddress),
  ])
  func build_badNote_isRefused(_ type: UInt32, _ value: [UInt8], _ error: ImageError) {
    var maker = ImageMaker.working()
    maker.notes.removeAll { $0.type == type }
    maker.notes.append((type, value))
    #expect(Built(maker.bytes()).error == error)
  }

  @Test func build_regionInTheHole_isRefused() {
    var maker = ImageMaker.working()
    maker.notes = maker.notes.filter { ![1, 2, 3].contains($0.type) }
    maker.notes.append((3, ImageMaker.number(0xffff_8000_0000_0000)))
    maker.entry = 0xffff_8000_0000_0000
    #expect(Built(maker.bytes()).error == .regionInHole)
  }

  @Test func build_tooLittleMemory_isRefused() {
    #expect(Built(ImageMaker.working().bytes(), pages: 1000).error == .tooLittleMemory)
    #expect(Built(ImageMaker.working().bytes(), pages: 5000).error == .tooLittleMemory)
    var maker = ImageMaker.working()
    maker.segments[0].memorySize = 1 << 30
    #expect(Built(maker.bytes()).error == .tooLittleMemory)
    maker.segments[0].memorySize = ~0
    #expect(Built(maker.bytes()).error == .badAddresses)
  }

  @Test func build_anyDamage_neverTraps() {
    let image = Array(ImageMaker.working().bytes().prefix(700))
    var random = SeededGenerator(seed: 7)
    for _ in 0..<400 {
      var damaged = image
      for _ in 0...random.below(3) {
        damaged[random.below(400)] = UInt8(truncatingIfNeeded: random.next())
      }
      damaged.removeLast(random.below(damaged.count))
      damaged.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        _ = try? GuestKernel(ImageBytes(base, count: UInt64(bytes.count)))
      }
    }
  }

  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["XENOGRAFT_TEST_VMLINUX_DBG"] != nil,
      "XENOGRAFT_TEST_VMLINUX_DBG names no kernel with debugging information"))
  func kernel_ofLinux_isRead() throws {
    let path = ProcessInfo.processInfo.environment["XENOGRAFT_TEST_VMLINUX_DBG"] ?? ""
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    try data.withUnsafeBytes { bytes in
      let base = try #require(bytes.baseAddress)
      let kernel = try GuestKernel(ImageBytes(base, count: UInt64(bytes.count)))
      #expect(kernel.virtualBase == 0xffff_ffff_8000_0000)
    }
  }
}
