// A saved domain as a boot module: its header and the places of its parts. Whoever made the file, every
// number in it is foreign: rootstock_saved.h is the contract.

public import CRootstock
import CXenABI

/// A saved domain, its measures checked against the module's size.
public struct SavedImage {
  /// The whole module.
  let bytes: ImageBytes
  /// Its header.
  public let header: rootstock_saved

  /// Whether a module is meant to be one.
  public static func isSaved(_ bytes: ImageBytes) -> Bool {
    bytes.number(0, width: 8) == UInt64(ROOTSTOCK_SAVED_MAGIC)
  }

  /// Reads the header.
  ///
  /// A bad file would have counts whose product wraps round, or parts behind its end.
  public init(_ bytes: ImageBytes) throws(ImageError) {
    guard Self.isSaved(bytes) else { throw .notELF64 }
    guard let part = bytes.part(0, UInt64(MemoryLayout<rootstock_saved>.size)) else {
      throw .truncated
    }
    var header = rootstock_saved()
    withUnsafeMutableBytes(of: &header) { place in
      // SAFETY: both have the structure's size.
      place.baseAddress?.copyMemory(from: part.base, byteCount: place.count)
    }
    self.bytes = bytes
    self.header = header
    guard (1...UInt32(ROOTSTOCK_SAVED_VERSION)).contains(header.version) else {
      throw .unknownSavedVersion
    }
    guard !is32Bit || Domain.isReservedStart(UInt64(header.reserved_start)) else {
      throw .badSavedDomain
    }
    guard header.vcpu_count > 0, header.suspender < header.vcpu_count, header.page_count > 0,
      header.page_end <= DomainMemory.capacity, header.page_count <= header.page_end,
      header.page_limit <= DomainMemory.capacity, header.page_count <= header.page_limit,
      header.vcpu_count <= 128, header.content_count <= header.page_count
    else { throw .badSavedDomain }
    guard bytes.contains(contentsStart, header.content_count << 12) else { throw .truncated }
  }

  /// It is a 32-bit domain's.
  public var is32Bit: Bool { header.reserved_start != 0 }

  private static let page = UInt64(ROOTSTOCK_SAVED_PAGE)

  private var tableStart: UInt64 {
    Self.page * (1 + UInt64(header.vcpu_count) * UInt64(ROOTSTOCK_SAVED_VCPU_PAGES))
  }
  private var contentsStart: UInt64 {
    tableStart + (header.page_count * 8 + Self.page - 1) / Self.page * Self.page
  }

  /// An entry of the table, below the count of pages.
  func entry(_ index: UInt64) -> UInt64 { bytes.number(tableStart + index * 8, width: 8) ?? 0 }

  /// The contents of a page, by its place among those that have some; nil behind the last.
  func contents(_ index: UInt64) -> UnsafeRawPointer? {
    guard index < header.content_count else { return nil }
    return bytes.base + Int(truncatingIfNeeded: contentsStart + index << 12)
  }

  /// A vcpu below the count.
  public func vcpu(_ number: Int) -> SavedVCPU {
    let pages = UInt64(ROOTSTOCK_SAVED_VCPU_PAGES)
    let base = bytes.base + Int(Self.page * (1 + UInt64(number) * pages))
    var rest = rootstock_saved_vcpu()
    withUnsafeMutableBytes(of: &rest) { place in
      // SAFETY: both have the structure's size, which is below that of the page.
      place.baseAddress?.copyMemory(
        from: base + Int(3 * Self.page), byteCount: place.count)
    }
    return SavedVCPU(
      context: ImageBytes(base, count: 2 * Self.page),
      floatingPoint: ImageBytes(base + Int(2 * Self.page), count: Self.page), rest: rest)
  }
}

/// What is saved of a vcpu.
public struct SavedVCPU {
  /// vcpu_guest_context, with numbers of pages in place of frames.
  public let context: ImageBytes
  /// Its floating-point state in XSAVE's form.
  public let floatingPoint: ImageBytes
  /// What the context does not have.
  public let rest: rootstock_saved_vcpu

  /// It had got its first state.
  var isInitialised: Bool { rest.is_initialised == 1 }
  /// It was up.
  var isUp: Bool { rest.is_up == 1 }
}

/// An entry of the table.
struct SavedEntry {
  let rawValue: UInt64

  /// The page's number.
  var page: UInt64 { rawValue & 0xffff_ffff }
  /// The level of the page table that it is; 0 for none.
  var level: Int { isList ? 0 : Int(kind) }
  /// It is part of the guest's list of frames.
  var isList: Bool { kind == UInt64(ROOTSTOCK_SAVED_LIST) }
  /// The domain has pinned it.
  var isPinned: Bool { rawValue & UInt64(ROOTSTOCK_RECORD_PINNED) != 0 }

  private var kind: UInt64 { rawValue >> UInt64(ROOTSTOCK_RECORD_TYPE_SHIFT) & 7 }

  /// It is all zeros.
  var isZero: Bool { rawValue & ROOTSTOCK_SAVED_ZERO != 0 }

  /// Whether nothing but what has a meaning is set.
  var isValid: Bool {
    kind <= UInt64(ROOTSTOCK_SAVED_LIST) && (!isPinned || level > 0)
      && rawValue >> 32 & 0x7ff_ffff == 0
  }
}
