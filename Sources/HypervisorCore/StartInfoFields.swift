// start_info in the form of a domain: words as wide as its registers, at the offsets that its
// architecture has.

import XenABI

/// Where the fields of start_info are, and how to write them.
struct StartInfoFields {
  // SAFETY: a frame of 4096 bytes; all offsets are constants below 1168.
  let page: UnsafeMutableRawPointer
  let is32Bit: Bool
  let pageCount, sharedInfo, flags, storeFrame, storePort, console, tableAddress, tableCount: Int
  let list, ramdisk, ramdiskSize, commandLine, listFrame, listFrameCount: Int

  /// The fields in a page for a domain of a width.
  init(_ words: UnsafeMutablePointer<UInt64>, is32Bit: Bool) {
    page = UnsafeMutableRawPointer(words)
    self.is32Bit = is32Bit
    typealias Wide = Xen.OffsetX86_64.start_info
    typealias Narrow = Xen.OffsetX86_32.start_info
    func pick(_ wide: Int, _ narrow: Int) -> Int { is32Bit ? narrow : wide }
    pageCount = pick(Wide.nr_pages, Narrow.nr_pages)
    sharedInfo = pick(Wide.shared_info, Narrow.shared_info)
    flags = pick(Wide.flags, Narrow.flags)
    storeFrame = pick(Wide.store_mfn, Narrow.store_mfn)
    storePort = pick(Wide.store_evtchn, Narrow.store_evtchn)
    console = pick(Wide.console, Narrow.console)
    tableAddress = pick(Wide.pt_base, Narrow.pt_base)
    tableCount = pick(Wide.nr_pt_frames, Narrow.nr_pt_frames)
    list = pick(Wide.mfn_list, Narrow.mfn_list)
    ramdisk = pick(Wide.mod_start, Narrow.mod_start)
    ramdiskSize = pick(Wide.mod_len, Narrow.mod_len)
    commandLine = pick(Wide.cmd_line, Narrow.cmd_line)
    listFrame = pick(Wide.first_p2m_pfn, Narrow.first_p2m_pfn)
    listFrameCount = pick(Wide.nr_p2m_frames, Narrow.nr_p2m_frames)
  }

  /// Where the console's port is, behind its frame number.
  var consolePort: Int { console + (is32Bit ? 4 : 8) }

  /// Writes an `unsigned long`.
  func set(_ offset: Int, _ value: UInt64) {
    if is32Bit {
      set(half: UInt32(truncatingIfNeeded: value), at: offset)
    } else {
      page.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
    }
  }

  /// Writes 32 bits.
  func set(half value: UInt32, at offset: Int) {
    page.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
  }

  /// Writes a byte.
  func set(byte value: UInt8, at offset: Int) {
    page.storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
  }
}
