import HypervisorCore
import HypervisorCoreTesting
import Testing

/// Where the hypervisor's part of a 32-bit guest begins, by what its image says.
@Suite struct CompatKernelTests {
  private static let base: UInt64 = 0xc000_0000

  /// An ELF32 image of one segment, with notes or with the older text.
  private func image(notes: [(type: UInt32, value: [UInt8])] = [], text: String? = nil) -> [UInt8] {
    let little = ImageMaker.little
    var body: [UInt8] = []
    for note in notes {
      body += little(4, 4) + little(UInt64(note.value.count), 4) + little(UInt64(note.type), 4)
      body += [0x58, 0x65, 0x6e, 0] + note.value
      while body.count % 4 != 0 { body.append(0) }
    }
    let noteEnd = UInt64(body.count)
    let start: UInt64 = 52 + 2 * 32
    body += [UInt8](repeating: 0x90, count: 64)
    let textStart = start + UInt64(body.count)
    let words = Array((text ?? "").utf8)
    let names = [0] + ImageMaker.text("__xen_guest")
    body += words + names
    let sections = start + UInt64(body.count)
    body += section(1, textStart, UInt64(words.count))
    body += section(0, textStart + UInt64(words.count), UInt64(names.count))
    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
    file += little(2, 2) + little(3, 2) + little(1, 4) + little(Self.base, 4) + little(52, 4)
    file += little(text == nil ? 0 : sections, 4) + little(0, 4)
    file += little(52, 2) + little(32, 2) + little(2, 2)
    file += little(40, 2) + little(text == nil ? 0 : 2, 2) + little(1, 2)
    // Notes, then the segment that is loaded, at the address that the older text takes the base from.
    let address = text == nil ? 0 : Self.base
    file += program(4, start, 0, noteEnd, noteEnd)
    file += program(1, start + noteEnd, address, 64, 0x3000)
    return file + body
  }

  private func program(
    _ type: UInt64, _ offset: UInt64, _ address: UInt64, _ size: UInt64, _ memorySize: UInt64
  ) -> [UInt8] {
    [type, offset, address, address, size, memorySize, 7, 4096]
      .flatMap { ImageMaker.little($0, 4) }
  }

  private func section(_ name: UInt64, _ offset: UInt64, _ size: UInt64) -> [UInt8] {
    [name, 1, 0, 0, offset, size, 0, 0, 1, 0].flatMap { ImageMaker.little($0, 4) }
  }

  /// Builds a domain of 8 MiB from the image.
  private func start(of image: [UInt8]) throws -> UInt64 {
    let bench = Bench(frameCount: 4096)
    let caller = bench.makeDomain(1, frames: 0).caller
    caller.domain.pointee.pageLimit = 2048
    try image.withUnsafeBytes { kernel in
      let base = try #require(kernel.baseAddress)
      let request = StartRequest(
        kernel: ImageBytes(base, count: UInt64(kernel.count)), pageCount: 2048, isInitial: true)
      _ = try bench.hypervisor.build(request, in: caller.domain)
    }
    return caller.domain.pointee.reservedStart
  }

  private static let notes: [(type: UInt32, value: [UInt8])] = [
    (5, ImageMaker.text("xen-3.0")), (8, ImageMaker.text("generic")),
    (9, ImageMaker.text("yes")), (3, ImageMaker.little(base, 4)), (4, ImageMaker.little(0, 4)),
    (2, ImageMaker.little(base + 0x1000, 4)),
  ]

  @Test func notes_withoutAWord_leaveTheLast64MiB() throws {
    #expect(try start(of: image(notes: Self.notes)) == 0xfc00_0000)
  }

  @Test func note_saysWhere_roundedUpToALargePage() throws {
    let notes = Self.notes + [(12, ImageMaker.little(0xf580_0001, 4))]
    #expect(try start(of: image(notes: notes)) == 0xf5a0_0000)
  }

  /// Kernels with the older text read the M2P table where it was in their days.
  @Test func olderText_leavesWhatTheABIFixes() throws {
    let text =
      "GUEST_OS=other,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,ELF_PADDR_OFFSET=0xC0000000,"
      + "HYPERCALL_PAGE=0x2,PAE=yes[extended-cr3],LOADER=generic"
    #expect(try start(of: image(text: text)) == 0xf580_0000)
  }
}
