// Makes a saved domain out of a recorded one: numbers of pages in place of the machine's frames, in page
// tables, in the guest's own list and in the contexts of vcpus.

import CRootstock
import CXenABI
import Foundation
import KernelImage
import X86
import XenABI

/// Writes one domain.
struct DomainSaver<Memory: FrameSource> {
  private typealias Context = Xen.Offset.vcpu_guest_context
  private static var page: Int { 4096 }

  let memory: Memory
  let domain: RecordedDomain
  private let lists: Set<UInt64>

  /// - Throws: ``SaveFault`` where the domain cannot be saved.
  init(record address: UInt64, in memory: Memory) throws(SaveFault) {
    self.memory = memory
    domain = try RecordedDomain(at: address, in: memory)
    lists = try domain.listPages(in: memory)
  }

  /// Hands the file on in pieces, all but the digest: its place holds zeros.
  func write(to sink: ([UInt8]) throws(SaveFault) -> Void) throws(SaveFault) {
    var table: [UInt64] = []
    var contents = 0
    // Twice over the memory, so that nothing of it is kept: it may be large.
    for frame in domain.frames {
      let bytes = try translated(frame)
      let isZero = !bytes.contains { $0 != 0 }
      table.append(entry(frame, isZero: isZero))
      if !isZero { contents += 1 }
    }
    try sink(header(contents: contents))
    for vcpu in domain.vcpus { try sink(translated(vcpu: vcpu)) }
    var bytes = table.flatMap { entry in withUnsafeBytes(of: entry.littleEndian, Array.init) }
    bytes += [UInt8](repeating: 0, count: (Self.page - bytes.count % Self.page) % Self.page)
    try sink(bytes)
    var written = 0
    for frame in domain.frames {
      let bytes = try translated(frame)
      guard bytes.contains(where: { $0 != 0 }) else { continue }
      written += 1
      try sink(bytes)
    }
    guard written == contents else {
      throw SaveFault(text: "its memory changed while it was read")
    }
  }

  private func header(contents: Int) throws(SaveFault) -> [UInt8] {
    var saved = rootstock_saved()
    saved.magic = UInt64(ROOTSTOCK_SAVED_MAGIC)
    saved.version = UInt32(ROOTSTOCK_SAVED_VERSION)
    saved.vcpu_count = domain.header.vcpu_count
    saved.page_count = UInt64(domain.frames.count)
    saved.content_count = UInt64(contents)
    saved.page_end = (domain.frames.last?.page ?? 0) + 1
    saved.page_limit = max(domain.header.page_limit, saved.page_count)
    saved.assists = domain.header.assists
    saved.start_info = try domain.page(
      of: domain.header.start_info, "the third argument of its call, start_info,")
    saved.store = try domain.page(of: domain.header.store, "the page for xenstore")
    saved.console = try domain.page(of: domain.header.console, "the page for the console")
    saved.suspender = domain.header.suspender
    saved.reserved_start = domain.header.reserved_start
    let bytes = withUnsafeBytes(of: saved, Array.init)
    return bytes + [UInt8](repeating: 0, count: Self.page - bytes.count)
  }

  private func isList(_ frame: RecordedFrame) -> Bool { lists.contains(frame.page) }

  private func entry(_ frame: RecordedFrame, isZero: Bool) -> UInt64 {
    let kind = isList(frame) ? UInt64(ROOTSTOCK_SAVED_LIST) : UInt64(frame.level)
    return frame.page | kind << UInt64(ROOTSTOCK_RECORD_TYPE_SHIFT)
      | (frame.isPinned ? ROOTSTOCK_RECORD_PINNED : 0) | (isZero ? ROOTSTOCK_SAVED_ZERO : 0)
  }

  private func translated(_ frame: RecordedFrame) throws(SaveFault) -> [UInt8] {
    guard var bytes = memory.frame(frame.frame) else {
      throw SaveFault(text: "frame \(Hex.text(frame.frame)) lies out of the machine's memory")
    }
    if isList(frame) {
      guard frame.level == 0 else {
        throw SaveFault(text: "page \(frame.page) of its P2M list is a page table")
      }
      for index in 0..<domain.wordsPerPage {
        // Other numbers have a meaning for the guest alone.
        if domain.is32Bit {
          if let page = domain.pages[UInt64(bytes.half(index * 4))] {
            bytes.setHalf(index * 4, UInt32(truncatingIfNeeded: page))
          }
        } else if let page = domain.pages[bytes.word(index * 8)] {
          bytes.setWord(index * 8, page)
        }
      }
    } else if frame.level > 0 {
      try translate(table: &bytes, frame)
    }
    return bytes
  }

  /// Entries of a table that are the hypervisor's.
  private func reserved(in frame: RecordedFrame) -> Range<Int> {
    if frame.level == 4 { return 256..<272 }
    return frame.isHigh ? Int(domain.header.reserved_start >> 21) & 511..<512 : 0..<0
  }

  private func translate(table: inout [UInt8], _ frame: RecordedFrame) throws(SaveFault) {
    let reserved = reserved(in: frame)
    for index in 0..<512 {
      if reserved.contains(index) {
        table.setWord(index * 8, 0)
        continue
      }
      let entry = table.entry(index)
      guard entry.isPresent else { continue }
      let what = "entry \(index) of its page table \(Hex.text(frame.page)) (level \(frame.level))"
      guard frame.level == 1 || !entry.flags.contains(.large) else {
        throw SaveFault(text: "\(what) is a large page, which no restored domain can have")
      }
      // What the hypervisor shares is mapped anew by a guest that goes on: there it is another frame.
      if frame.level == 1, domain.sharedFrames.contains(entry.frameNumber) {
        table.setWord(index * 8, 0)
        continue
      }
      let page = try domain.page(of: entry.frameNumber, what)
      table.setWord(
        index * 8, PageTableEntry(frameNumber: page, flags: entry.flags).rawValue)
    }
  }

  private func translated(vcpu: [UInt8]) throws(SaveFault) -> [UInt8] {
    var bytes = vcpu
    for offset in [Context.ctrlreg + 8, Context.ctrlreg + 3 * 8] where bytes.word(offset) != 0 {
      let page = try domain.page(of: bytes.word(offset) >> 12, "the page-table base of a vcpu")
      bytes.setWord(offset, page << 12)
    }
    let count = Int(min(bytes.word(Context.gdt_ents), 8192) + 511) / 512
    for index in 0..<min(count, 16) {
      let offset = Context.gdt_frames + index * 8
      bytes.setWord(offset, try domain.page(of: bytes.word(offset), "the GDT of a vcpu"))
    }
    return bytes
  }
}

extension DomainSaver {
  /// Writes the file, whole or not at all.
  func save(to path: String) throws(SaveFault) {
    let temporary = "\(path).\(getpid()).partial"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.fault(path) }
    var isOpen = true
    defer {
      if isOpen { close(descriptor) }
      unlink(temporary)
    }
    guard let digest = StreamDigest() else {
      throw SaveFault(text: "libcrypto has no SHA-256")
    }
    try write { bytes throws(SaveFault) in
      digest.take(bytes)
      try Self.write(bytes, descriptor, path)
    }
    let sum = digest.end()
    guard pwrite(descriptor, sum, sum.count, off_t(SavedDomainFile.digestOffset)) == sum.count,
      close(descriptor) == 0
    else { throw Self.fault(path) }
    isOpen = false
    guard rename(temporary, path) == 0 else { throw Self.fault(path) }
  }

  private static func fault(_ path: String) -> SaveFault {
    SaveFault(text: "\(path) cannot be written: \(String(cString: strerror(errno)))")
  }

  private static func write(
    _ bytes: [UInt8], _ descriptor: Int32, _ path: String
  ) throws(SaveFault) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw fault(path) }
      done += count
    }
  }
}
