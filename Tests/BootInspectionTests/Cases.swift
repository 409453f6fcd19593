// The images of the tests: good ones, and ones that are wrong in one place.

/// One image, and what is expected of it.
struct BootCase: Sendable, CustomStringConvertible {
  var name: String
  var isAccepted: Bool
  /// The note or part that a finding must name; `nil` where there must be no refusal.
  var subject: String?
  var file: [UInt8]
  var description: String { name }

  init(_ name: String, accepted: String? = nil, _ builder: KernelBuilder) {
    self.name = name
    isAccepted = true
    subject = accepted
    file = builder.build()
  }

  init(_ name: String, refused subject: String, _ builder: KernelBuilder) {
    self.name = name
    isAccepted = false
    self.subject = subject
    file = builder.build()
  }
}

enum BootCases {
  private static let good = KernelBuilder()
  private static let base = KernelBuilder.base
  private static let start = KernelBuilder.start

  static let all: [BootCase] = texts + numbers + addresses + files

  private static let texts: [BootCase] = [
    BootCase("sound", good),
    BootCase("no GUEST_OS", good.with(6, nil)),
    BootCase("no LOADER", refused: "XEN_ELFNOTE_LOADER", good.with(8, nil)),
    BootCase("no LOADER but linux", good.with(8, nil).with(6, .text(6, "linux"))),
    BootCase("LOADER of another", refused: "XEN_ELFNOTE_LOADER", good.with(8, .text(8, "grub"))),
    BootCase(
      "LOADER of another but linux", good.with(8, .text(8, "special")).with(6, .text(6, "linux"))),
    BootCase("LOADER with a tail", good.with(8, .text(8, "generic-2"))),
    BootCase("no XEN_VERSION", refused: "XEN_ELFNOTE_XEN_VERSION", good.with(5, nil)),
    BootCase(
      "XEN_VERSION 2", refused: "XEN_ELFNOTE_XEN_VERSION", good.with(5, .text(5, "xen-2.0"))),
    BootCase(
      "XEN_VERSION in capitals", refused: "XEN_ELFNOTE_XEN_VERSION",
      good.with(5, .text(5, "XEN-3.0"))),
    BootCase("XEN_VERSION with a tail", good.with(5, .text(5, "xen-3.0-x86_64"))),
    BootCase(
      "XEN_VERSION empty", refused: "XEN_ELFNOTE_XEN_VERSION", good.with(5, .text(5, ""))),
    BootCase(
      "XEN_VERSION of another owner", refused: "XEN_ELFNOTE_XEN_VERSION",
      good.with(5, .init(type: 5, contents: Array("xen-3.0".utf8) + [0], owner: "XEN"))),
    BootCase("FEATURES known", good.with(10, .text(10, "!writable_page_tables|dom0"))),
    BootCase("FEATURES unknown", good.with(10, .text(10, "writable_page_tables|flying"))),
    BootCase(
      "FEATURES unknown and required", refused: "XEN_ELFNOTE_FEATURES",
      good.with(10, .text(10, "!flying"))),
    BootCase("PAE_MODE no in 64 bits", good.with(9, .text(9, "no"))),
    BootCase("unknown type", good.with(99, .text(99, "whatever"))),
    BootCase(
      "note twice, the last right", accepted: "XEN_ELFNOTE_XEN_VERSION",
      good.changed { $0.notes.insert(.text(5, "xen-2.0"), at: 0) }),
    BootCase(
      "note twice, the last wrong", refused: "XEN_ELFNOTE_XEN_VERSION",
      good.changed { $0.notes.append(.text(5, "xen-2.0")) }),
  ]

  private static let numbers: [BootCase] = [
    BootCase("no ENTRY, the header's is right", good.with(1, nil)),
    BootCase(
      "no ENTRY, the header's is wrong", refused: "XEN_ELFNOTE_ENTRY",
      good.with(1, nil).changed { $0.entry = KernelBuilder.physical }),
    BootCase(
      "ENTRY of 3 bytes", refused: "XEN_ELFNOTE_ENTRY",
      good.with(1, .init(type: 1, contents: [1, 2, 3]))),
    BootCase("ENTRY physical", refused: "XEN_ELFNOTE_ENTRY", good.with(1, .number(1, 0x10_0000))),
    BootCase(
      "ENTRY before the image", refused: "XEN_ELFNOTE_ENTRY", good.with(1, .number(1, start - 1))),
    BootCase(
      "ENTRY behind the image", refused: "XEN_ELFNOTE_ENTRY",
      good.with(1, .number(1, start + 0x4001))),
    BootCase(
      "ENTRY of 4 bytes", refused: "XEN_ELFNOTE_ENTRY", good.with(1, .short(1, 0x8010_0000))),
    BootCase(
      "ENTRY as text", refused: "XEN_ELFNOTE_ENTRY", good.with(1, .text(1, "_start_here"))),
    BootCase(
      "HYPERCALL_PAGE far away", refused: "XEN_ELFNOTE_HYPERCALL_PAGE",
      good.with(2, .number(2, base + 0x4000_0000))),
    BootCase(
      "HYPERCALL_PAGE zero", refused: "XEN_ELFNOTE_HYPERCALL_PAGE", good.with(2, .number(2, 0))),
    BootCase(
      "HYPERCALL_PAGE of 5 bytes", refused: "XEN_ELFNOTE_HYPERCALL_PAGE",
      good.with(2, .init(type: 2, contents: [0, 0, 0, 0, 1]))),
    BootCase(
      "HYPERCALL_PAGE not aligned", accepted: "XEN_ELFNOTE_HYPERCALL_PAGE",
      good.with(2, .number(2, KernelBuilder.hypercallPage + 16))),
    BootCase("no HYPERCALL_PAGE", good.with(2, nil)),
    BootCase(
      "INIT_P2M in the image", refused: "XEN_ELFNOTE_INIT_P2M",
      good.with(15, .number(15, start + 0x1000))),
    BootCase("INIT_P2M elsewhere", good.with(15, .number(15, 0x80_0000_0000))),
    BootCase("SUSPEND_CANCEL", good.with(14, .short(14, 1))),
    BootCase("SUPPORTED_FEATURES with dom0", good.with(17, .number(17, 0x801))),
  ]

  private static let addresses: [BootCase] = [
    BootCase(
      "no VIRT_BASE but PADDR_OFFSET", refused: "XEN_ELFNOTE_PADDR_OFFSET", good.with(3, nil)),
    BootCase(
      "neither VIRT_BASE nor PADDR_OFFSET", refused: "XEN_ELFNOTE_ENTRY",
      good.with(3, nil).with(4, nil)),
    BootCase(
      "VIRT_BASE above the image", refused: "XEN_ELFNOTE_VIRT_BASE",
      good.with(4, .number(4, 0x20_0000))),
    BootCase(
      "VIRT_BASE wrong by a page", refused: "XEN_ELFNOTE_ENTRY",
      good.with(3, .number(3, base + 0x10_0000))),
    BootCase(
      "VIRT_BASE in the hypervisor's range", refused: "XEN_ELFNOTE_VIRT_BASE",
      good.moved(to: 0xFFFF_8200_0000_0000)),
    BootCase("VIRT_BASE low", good.moved(to: 0)),
    BootCase("VIRT_BASE just above the range", good.moved(to: 0xFFFF_8800_0000_0000)),
    BootCase(
      "wraps around", refused: "addresses",
      good.changed { $0.memorySize = 0x8000_0000 }),
    BootCase(
      "PADDR_OFFSET for virtual p_paddr",
      good.with(4, .number(4, base)).changed { $0.physicalAddress = start }),
    BootCase(
      "virtual p_paddr without PADDR_OFFSET", refused: "XEN_ELFNOTE_ENTRY",
      good.changed { $0.physicalAddress = start }),
  ]

  private static let files: [BootCase] = [
    BootCase("no notes", refused: "notes", good.changed { $0.notes = [] }),
    BootCase("no NOTE segment", refused: "notes", good.changed { $0.hasNoteSegment = false }),
    BootCase("of another machine", refused: "ELF header", good.changed { $0.machine = 183 }),
    BootCase("cut off in the header", refused: "file", good.changed { $0.keep = 40 }),
    BootCase("cut off in the program headers", refused: "file", good.changed { $0.keep = 100 }),
    BootCase("cut off in the segment", accepted: "segment 0", good.changed { $0.keep = 0x2000 }),
    BootCase(
      "larger in the file than in memory", refused: "segment 0",
      good.changed { $0.memorySize = 0x1000 }),
    BootCase("no ELF", refused: "file", good.changed { $0.keep = 3 }),
  ]
}

extension KernelBuilder {
  /// The whole kernel at another virtual base.
  func moved(to base: UInt64) -> Self {
    var builder = self
    builder.entry = base + Self.physical
    builder.virtualAddress = base + Self.physical
    return builder.with(3, .number(3, base)).with(1, .number(1, base + Self.physical))
      .with(2, .number(2, base + Self.physical + 0x1000))
  }
}
