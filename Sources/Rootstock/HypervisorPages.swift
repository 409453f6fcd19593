// The hypervisor's own part of every address space: slots 256 to 271 of each top table point to
// the tables that are kept here.

import CMachine
import HypervisorCore

/// Bits of a page-table entry: Intel SDM volume 3, 4.5.
enum EntryBits {
  static let present: UInt64 = 1
  static let writable: UInt64 = 2
  static let user: UInt64 = 4
  static let writeThrough: UInt64 = 8
  static let cacheDisabled: UInt64 = 16
  static let large: UInt64 = 0x80
  static let global: UInt64 = 0x100
  static let noExecute: UInt64 = 1 << 63
  static let frameMask: UInt64 = 0x000f_ffff_ffff_f000

  static let code = present | global
  static let readOnlyData = present | global | noExecute
  static let data = present | writable | global | noExecute
}

/// The hypervisor's page tables.
enum HypervisorPages {
  /// The top table in which the hypervisor runs while no guest does.
  static var top: MachineFrame { MachineAddress(xg_address_boot_l4()).frame }

  /// Maps one small page in the hole.
  static func map(_ address: UInt64, to frame: MachineFrame, _ bits: UInt64) {
    let table = table(for: address, level: 1, bits: EntryBits.present | EntryBits.writable)
    table[Int(address >> 12) & 511] = frame.address.value | bits
    xg_invlpg(address)
  }

  /// Takes away one small page whose table exists.
  static func unmap(_ address: UInt64) {
    let table = table(for: address, level: 1, bits: EntryBits.present | EntryBits.writable)
    table[Int(address >> 12) & 511] = 0
    xg_invlpg(address)
  }

  /// The table of `level` that covers `address`, made with what lies above it where absent.
  ///
  /// `bits` are those of new upper entries.
  static func table(
    for address: UInt64, level: Int, bits: UInt64
  ) -> UnsafeMutablePointer<UInt64> {
    var table = DirectMap.words(of: top)
    var depth = 4
    while depth > level {
      let index = Int(address >> UInt64(12 + 9 * (depth - 1))) & 511
      if table[index] & EntryBits.present == 0 {
        table[index] = Host.takeFrame().address.value | bits
      }
      table = DirectMap.words(of: MachineAddress(table[index] & EntryBits.frameMask).frame)
      depth -= 1
    }
    return table
  }

  /// Gives each part of the image the permissions that it needs and no others.
  static func protectImage() {
    let base = UInt64(XG_IMAGE_BASE)
    let table = DirectMap.words(of: MachineAddress(xg_address_boot_l1_image()).frame)
    for index in 0..<512 {
      let address = base + UInt64(index) << 12
      let frame = UInt64(XG_IMAGE_PHYSICAL) + UInt64(index) << 12
      if address < xg_address_text_end() {
        table[index] = frame | EntryBits.code
      } else if address < xg_address_rodata_end() {
        table[index] = frame | EntryBits.readOnlyData
      } else if address < xg_address_image_end() {
        table[index] = frame | EntryBits.data
      } else {
        table[index] = 0
      }
      xg_invlpg(address)
    }
  }

  /// Maps RAM above 4 GiB, and forbids caches for what below is no RAM.
  static func completeDirectMap() {
    let first: UInt64 = 4 << 30
    let large: UInt64 = 2 << 20
    var address: UInt64 = 0
    let end = max(first, Host.boot.endOfMemory)
    while address < end {
      let page = MemoryRange(start: address, end: address + large)
      let isRAM = holdsRAM(page)
      if isRAM || address < first {
        let table = table(
          for: UInt64(XG_DIRECT_BASE) + address, level: 2,
          bits: EntryBits.present | EntryBits.writable)
        let caching = isRAM ? 0 : EntryBits.cacheDisabled | EntryBits.writeThrough
        table[Int(address >> 21) & 511] = address | EntryBits.data | EntryBits.large | caching
      }
      address += large
    }
  }

  private static func holdsRAM(_ page: MemoryRange) -> Bool {
    for index in 0..<Host.boot.regionCount where Host.boot.regions[index].isRAM {
      if Host.boot.regions[index].range.overlaps(page) { return true }
    }
    return false
  }

  /// Takes away the boot code's mapping of memory at its physical addresses.
  static func dropBootMapping() {
    DirectMap.words(of: top)[0] = 0
    flushAll()
  }

  /// Flushes every translation, global ones too.
  static func flushAll() {
    let cr4 = xg_read_cr4()
    xg_write_cr4(cr4 & ~0x80)
    xg_write_cr4(cr4)
  }
}
