// What a kernel image tells its loader: Xen's ELF notes, or the older section `__xen_guest` with
// NAME=VALUE text. abi/elf-notes.yaml has them all.

import CXenABI

/// The notes that the loader acts on.
struct KernelNotes {
  var entry: UInt64?
  var hypercallPage: UInt64?
  var virtualBase: UInt64?
  var addressOffset: UInt64?
  var listAddress: UInt64?
  var reservedStart: UInt64?
  var isRamdiskUnmapped = false
  private(set) var isAny = false
  /// The kernel says that it knows page tables in the PAE format.
  private(set) var isPAE = false
  private var isOldForm = false
  private var hasVersion = false
  private var hasLoader = false
  private var isLinux = false
  private var isFeatureUnknown = false

  /// Reads a run of notes: sizes of name and descriptor, type, then both padded to 4 bytes.
  mutating func read(_ bytes: ImageBytes) {
    var offset: UInt64 = 0
    while let nameSize = bytes.number(offset, width: 4),
      let size = bytes.number(offset, plus: 4, width: 4),
      let type = bytes.number(offset, plus: 8, width: 4)
    {
      // Three numbers of 32 bits: no overflow, and each turn goes on by 12 bytes at least.
      let name = offset + 12
      let descriptor = name + (nameSize + 3) & ~3
      // GRUB's last note says that it is longer than its segment: what is there counts.
      guard descriptor < bytes.count,
        let value = bytes.part(descriptor, min(size, bytes.count - descriptor))
      else { return }
      if nameSize == 4, bytes.number(name, width: 4) == 0x006e_6558 { take(type, value) }
      offset = descriptor + (size + 3) & ~3
    }
  }

  private mutating func take(_ type: UInt64, _ value: ImageBytes) {
    isAny = true
    // The field has 32 bits.
    switch Int32(truncatingIfNeeded: type) {
    case XEN_ELFNOTE_ENTRY: entry = number(value)
    case XEN_ELFNOTE_HYPERCALL_PAGE: hypercallPage = number(value)
    case XEN_ELFNOTE_VIRT_BASE: virtualBase = number(value)
    case XEN_ELFNOTE_PADDR_OFFSET: addressOffset = number(value)
    case XEN_ELFNOTE_XEN_VERSION: hasVersion = value.begins(with: "xen-3.0")
    case XEN_ELFNOTE_GUEST_OS: isLinux = value.begins(with: "linux")
    case XEN_ELFNOTE_LOADER: hasLoader = value.begins(with: "generic")
    case XEN_ELFNOTE_PAE_MODE: isPAE = value.begins(with: "yes") || value.begins(with: "bimodal")
    case XEN_ELFNOTE_FEATURES: readFeatures(value)
    case XEN_ELFNOTE_HV_START_LOW: reservedStart = number(value)
    case XEN_ELFNOTE_INIT_P2M: listAddress = number(value)
    case XEN_ELFNOTE_MOD_START_PFN: isRamdiskUnmapped = number(value) & 1 != 0
    default: break
    }
  }

  /// A descriptor of another size than 1, 2, 4 or 8 bytes reads as 0.
  private func number(_ value: ImageBytes) -> UInt64 {
    switch value.count {
    case 1, 2, 4, 8: value.number(0, width: value.count) ?? 0
    default: 0
    }
  }

  /// Names separated by `|`, with `!` before those that the kernel cannot do without.
  private mutating func readFeatures(_ value: ImageBytes) {
    var start: UInt64 = 0
    while start < value.count, value[start] != 0 {
      let isRequired = value[start] == 0x21
      if isRequired { start += 1 }
      var end = start
      while end < value.count, value[end] != 0, value[end] != 0x7c { end += 1 }
      if isRequired, let name = value.part(start, end - start), !Self.isKnown(name) {
        isFeatureUnknown = true
      }
      start = value[end] == 0x7c ? end + 1 : end
      if start >= value.count { return }
    }
  }

  private static func isKnown(_ name: ImageBytes) -> Bool {
    name.isText("writable_page_tables") || name.isText("writable_descriptor_tables")
      || name.isText("pae_pgdir_above_4gb") || name.isText("hvm_callback_vector")
      || name.isText("dom0")
  }

  /// Reads the old form: NAME=VALUE separated by commas.
  ///
  /// There HYPERCALL_PAGE is a page number from VIRT_BASE on, and PADDR_OFFSET defaults to VIRT_BASE.
  /// No name in it says where the hypervisor's part begins: such kernels look for it where it always
  /// was.
  mutating func readText(_ bytes: ImageBytes) {
    isAny = true
    isOldForm = true
    reservedStart = Domain.fixedReservedStart
    var page: UInt64?
    var start: UInt64 = 0
    while start < bytes.count, bytes[start] != 0 {
      var end = start
      while end < bytes.count, bytes[end] != 0, bytes[end] != 0x2c { end += 1 }
      var equals = start
      while equals < end, bytes[equals] != 0x3d { equals += 1 }
      if equals < end, let name = bytes.part(start, equals - start),
        let value = bytes.part(equals + 1, end - equals - 1)
      {
        takeText(name, value, page: &page)
      }
      start = bytes[end] == 0x2c ? end + 1 : end
    }
    if let page, page < 1 << 40 { hypercallPage = (virtualBase ?? 0) &+ page << 12 }
  }

  private mutating func takeText(_ name: ImageBytes, _ value: ImageBytes, page: inout UInt64?) {
    if name.isText("XEN_VER") { hasVersion = value.begins(with: "xen-3.0") }
    if name.isText("LOADER") { hasLoader = value.begins(with: "generic") }
    if name.isText("PAE") { isPAE = value.begins(with: "yes") || value.begins(with: "bimodal") }
    if name.isText("GUEST_OS") { isLinux = value.begins(with: "linux") }
    if name.isText("VIRT_BASE") { virtualBase = Self.parse(value) }
    if name.isText("VIRT_ENTRY") { entry = Self.parse(value) }
    if name.isText("ELF_PADDR_OFFSET") { addressOffset = Self.parse(value) }
    if name.isText("HYPERCALL_PAGE") { page = Self.parse(value) }
    if name.isText("FEATURES") { readFeatures(value) }
  }

  /// A decimal number, or a hexadecimal one after 0x; it ends at the first other character.
  private static func parse(_ value: ImageBytes) -> UInt64 {
    let isHex = value[0] == 0x30 && value[1] | 0x20 == 0x78
    var result: UInt64 = 0
    for index in (isHex ? 2 : 0)..<max(value.count, 2) {
      let digit: UInt64
      switch value[index] {
      case 0x30...0x39: digit = UInt64(value[index] - 0x30)
      case 0x61...0x66 where isHex: digit = UInt64(value[index] - 0x57)
      case 0x41...0x46 where isHex: digit = UInt64(value[index] - 0x37)
      default: return result
      }
      result = result &* (isHex ? 16 : 10) &+ digit
    }
    return result
  }

  /// What to take from each p_paddr.
  var offset: UInt64 { addressOffset ?? (isOldForm ? virtualBase ?? 0 : 0) }

  /// Whether the image is one for this hypervisor, in the order in which Xen looks.
  func check() throws(ImageError) {
    guard isAny else { throw .noNotes }
    guard !isFeatureUnknown else { throw .unknownFeature }
    guard hasLoader || isLinux else { throw .wrongLoader }
    guard hasVersion else { throw .wrongVersion }
    guard addressOffset == nil || virtualBase != nil else { throw .offsetWithoutBase }
  }
}
