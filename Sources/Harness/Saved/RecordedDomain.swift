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
  /// The domain has pinned it.
  var isPinned: Bool

  init(_ entry: UInt64) {
    frame = entry & 0xffff_ffff
    page = entry >> 32 & 0x7ff_ffff
    level = Int(entry >> UInt64(ROOTSTOCK_RECORD_TYPE_SHIFT) & 7)
    isPinned = entry & ROOTSTOCK_RECORD_PINNED != 0
  }
}

/// Why a domain cannot be saved.
struct SaveFault: Error, Equatable {
  var text: String
}

/// A suspended domain.
struct RecordedDomain {
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
      if frame.level == Int(ROOTSTOCK_SAVED_SHARED) {
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
  private typealias Arch = Xen.Offset.arch_shared_info
  private static let arch = Xen.Offset.shared_info.arch

  /// The pages of the guest's own list of frames by page (P2M): where it has told of them.
  ///
  /// - Throws: ``SaveFault`` where it has not, or they are not its.
  func listPages(in memory: some FrameSource) throws(SaveFault) -> Set<UInt64> {
    let end = shared.word(Self.arch + Arch.max_pfn)
    let top = shared.word(Self.arch + Arch.p2m_cr3)
    let lists = shared.word(Self.arch + Arch.pfn_to_mfn_frame_list_list)
    guard end > 0, end < 1 << 27 else { throw Self.noList }
    let count = (end + 511) / 512
    var found: Set<UInt64> = []
    if top != 0 {
      let start = shared.word(Self.arch + Arch.p2m_vaddr)
      for index in 0..<count {
        let frame = try frame(mappedAt: start &+ index << 12, by: top >> 12, in: memory)
        found.insert(try page(of: frame, "its P2M list"))
      }
    } else {
      guard lists != 0, lists != ~0 else { throw Self.noList }
      let outer = try bytes(lists, "its P2M list", in: memory)
      for index in 0..<Int(count) {
        let inner = try bytes(outer.word(index / 512 * 8), "its P2M list", in: memory)
        found.insert(try page(of: inner.word(index % 512 * 8), "its P2M list"))
      }
    }
    return found
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
    for level in stride(from: 4, through: 1, by: -1) {
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
