// What the hypervisor has written down of a suspended domain, read out of the machine's memory.

import CRootstock
import CXenABI
import X86
import XenABI

/// A frame of the domain.
struct RecordedFrame: Equatable {
  /// The machine's number.
  var frame: UInt64
  /// The domain's own.
  var page: UInt64
  /// The level of the page table that it is; 0 for none.
  var level: Int
  /// Its last entries are the hypervisor's: the fourth table of level 2 of a 32-bit domain.
  var isHigh: Bool
  /// It is the hypervisor's, shared with the domain.
  var isShared: Bool
  /// The domain has pinned it.
  var isPinned: Bool

  init(_ entry: UInt64) {
    frame = entry & 0xffff_ffff
    page = entry >> 32 & 0x7ff_ffff
    let kind = Int(entry >> UInt64(ROOTSTOCK_RECORD_TYPE_SHIFT) & 7)
    isHigh = kind == Int(ROOTSTOCK_SAVED_HIGH)
    isShared = kind == Int(ROOTSTOCK_SAVED_SHARED)
    level = isHigh ? 2 : kind > 4 ? 0 : kind
    isPinned = entry & ROOTSTOCK_RECORD_PINNED != 0
  }
}

/// Why a domain cannot be saved.
struct SaveFault: Error, Equatable {
  var text: String
}

/// A suspended domain.
struct RecordedDomain {
  /// It has 32-bit words, and page tables of three levels.
  var is32Bit: Bool { header.reserved_start != 0 }
  /// Words in a page.
  var wordsPerPage: Int { is32Bit ? 1024 : 512 }

  var header = rootstock_record()
  var frames: [RecordedFrame] = []
  /// Frames that the hypervisor shares with it.
  private(set) var sharedFrames: Set<UInt64> = []
  /// Pages by the machine's frames.
  private(set) var pages: [UInt64: UInt64] = [:]
  /// The pages of each vcpu, four times 4096 bytes.
  var vcpus: [[UInt8]] = []
  /// The page that it shares with the hypervisor.
  var shared: [UInt8] = []

  private static let page = 4096
  private static let headerSize = MemoryLayout<rootstock_record>.size

  /// - Throws: ``SaveFault`` where the record is none, or the domain cannot be restored.
  init(at address: UInt64, in memory: some FrameSource) throws(SaveFault) {
    guard address & 0xfff == 0, let first = memory.frame(address >> 12) else {
      throw SaveFault(text: "the hypervisor's record lies out of its memory")
    }
    header = first.withUnsafeBytes { $0.loadUnaligned(as: rootstock_record.self) }
    guard header.magic == UInt64(ROOTSTOCK_RECORD_MAGIC) else {
      throw SaveFault(text: "the hypervisor's record is none of a version that is known")
    }
    let vcpuPages = Int(header.vcpu_count) * Int(ROOTSTOCK_SAVED_VCPU_PAGES)
    let tablePages = (Int(truncatingIfNeeded: header.frame_count) + 511) / 512
    guard header.list_count <= (Self.page - Self.headerSize) / 4, header.frame_count < 1 << 27,
      vcpuPages + tablePages == Int(header.list_count), header.suspender < header.vcpu_count
    else { throw SaveFault(text: "the hypervisor's record does not fit together") }
    var parts: [[UInt8]] = []
    for index in 0..<Int(header.list_count) {
      guard let part = memory.frame(UInt64(first.half(Self.headerSize + index * 4))) else {
        throw SaveFault(text: "a part of the hypervisor's record lies out of its memory")
      }
      parts.append(part)
    }
    for vcpu in 0..<Int(header.vcpu_count) {
      vcpus.append(Array(parts[vcpu * 4..<vcpu * 4 + 4].joined()))
    }
    for index in 0..<Int(header.frame_count) {
      let frame = RecordedFrame(parts[vcpuPages + index / 512].word(index % 512 * 8))
      if frame.isShared {
        sharedFrames.insert(frame.frame)
      } else {
        frames.append(frame)
      }
    }
    frames.sort { $0.page < $1.page }
    for (one, next) in zip(frames, frames.dropFirst()) where one.page == next.page {
      throw SaveFault(text: "two of its frames say that they are page \(one.page)")
    }
    if let last = frames.last, last.page >= 1 << 27 - 1 {
      throw SaveFault(text: "a frame of its has no page number, \(Hex.text(last.frame))")
    }
    for frame in frames { pages[frame.frame] = frame.page }
    guard pages.count == frames.count, let shared = memory.frame(header.shared_info) else {
      throw SaveFault(text: "the hypervisor's record does not fit together")
    }
    self.shared = shared
  }
}

extension RecordedDomain {
  /// The pages of the guest's own list of frames by page (P2M): where it has told of them.
  ///
  /// - Throws: ``SaveFault`` where it has not, or they are not its.
  func listPages(in memory: some FrameSource) throws(SaveFault) -> Set<UInt64> {
    let told = ListPlace(in: shared, is32Bit: is32Bit)
    guard told.end > 0, told.end < 1 << 27 else { throw Self.noList }
    let perPage = wordsPerPage
    let count = (Int(told.end) + perPage - 1) / perPage
    var found: Set<UInt64> = []
    if let table = told.table {
      for index in 0..<count {
        let frame = try frame(mappedAt: told.start &+ UInt64(index) << 12, by: table, in: memory)
        found.insert(try page(of: frame, "its P2M list"))
      }
    } else {
      guard let lists = told.lists else { throw Self.noList }
      let outer = try bytes(lists, "its P2M list", in: memory)
      for index in 0..<count {
        let inner = try bytes(number(outer, index / perPage), "its P2M list", in: memory)
        found.insert(try page(of: number(inner, index % perPage), "its P2M list"))
      }
    }
    return found
  }

  /// A word of a page, in the width of the domain's.
  private func number(_ bytes: [UInt8], _ index: Int) -> UInt64 {
    is32Bit ? UInt64(bytes.half(index * 4)) : bytes.word(index * 8)
  }

  private static let noList = SaveFault(
    text: "the guest does not tell where its P2M list is (max_pfn, and p2m_cr3 or "
      + "pfn_to_mfn_frame_list_list in shared_info.arch)")

  /// The page of a frame, which must be the domain's.
  func page(of frame: UInt64, _ what: String) throws(SaveFault) -> UInt64 {
    guard let page = pages[frame] else {
      throw SaveFault(text: "\(what) names frame \(Hex.text(frame)), which is not its own")
    }
    return page
  }

  private func bytes(
    _ frame: UInt64, _ what: String, in memory: some FrameSource
  ) throws(SaveFault) -> [UInt8] {
    _ = try page(of: frame, what)
    guard let bytes = memory.frame(frame) else {
      throw SaveFault(text: "\(what) lies out of the machine's memory")
    }
    return bytes
  }

  private func frame(
    mappedAt address: UInt64, by top: UInt64, in memory: some FrameSource
  ) throws(SaveFault) -> UInt64 {
    var frame = top
    // In three levels the last has four entries.
    let address = is32Bit ? address & 0xffff_ffff : address
    for level in stride(from: is32Bit ? 3 : 4, through: 1, by: -1) {
      let table = try bytes(frame, "the address of its P2M list", in: memory)
      let entry = table.entry(Int(address >> UInt64(3 + level * 9)) & 511)
      guard entry.isPresent else {
        throw SaveFault(text: "its P2M list is not mapped at \(Hex.text(address))")
      }
      frame = entry.frameNumber
    }
    return frame
  }
}

/// What the guest tells of its list of frames, in the page that it shares with the hypervisor.
private struct ListPlace {
  /// Above every page's number.
  var end: UInt64
  /// The frame of the table that maps the list; nil where it is told by frames alone.
  var table: UInt64?
  /// Where that maps it.
  var start: UInt64
  /// The frame of the list of lists.
  var lists: UInt64?

  init(in shared: [UInt8], is32Bit: Bool) {
    typealias Wide = Xen.OffsetX86_64.arch_shared_info
    typealias Narrow = Xen.OffsetX86_32.arch_shared_info
    let arch = is32Bit ? Xen.OffsetX86_32.shared_info.arch : Xen.OffsetX86_64.shared_info.arch
    func word(_ wide: Int, _ narrow: Int) -> UInt64 {
      is32Bit ? UInt64(shared.half(arch + narrow)) : shared.word(arch + wide)
    }
    end = word(Wide.max_pfn, Narrow.max_pfn)
    start = word(Wide.p2m_vaddr, Narrow.p2m_vaddr)
    let base = word(Wide.p2m_cr3, Narrow.p2m_cr3)
    // Of 32 bits the frame's number is turned round, as in CR3.
    let frame = is32Bit ? base >> 12 | base << 20 & 0xffff_ffff : base >> 12
    table = base == 0 ? nil : frame
    let lists = word(Wide.pfn_to_mfn_frame_list_list, Narrow.pfn_to_mfn_frame_list_list)
    self.lists = lists == 0 || lists == (is32Bit ? 0xffff_ffff : ~0) ? nil : lists
  }
}
