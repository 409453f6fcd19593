// Xen's ELF notes of a guest's kernel: abi/elf-notes.yaml.

import CXenABI
import HypervisorCore

/// The notes that the loader acts on.
struct ImageNotes {
  private(set) var entry: UInt64?
  private(set) var hypercallPage: UInt64?
  private(set) var virtualBase: UInt64 = 0
  private(set) var addressOffset: UInt64 = 0
  /// PAE_MODE is given: Xen's magic for it ends with a p, on x86-64 too.
  private(set) var hasPAE = false
  private var isAny = false
  private var hasVersion = false
  private var hasLoader = false

  /// Reads the notes between two offsets that lie in the module.
  mutating func read(_ bytes: ModuleBytes, from start: UInt64, to end: UInt64) {
    var offset = start
    while offset + 12 <= end {
      guard let nameSize = bytes.read(UInt32.self, offset),
        let size = bytes.read(UInt32.self, offset + 4),
        let type = bytes.read(UInt32.self, offset + 8)
      else { return }
      let name = offset + 12
      let descriptor = name + (UInt64(nameSize) + 3) & ~3
      let next = descriptor + (UInt64(size) + 3) & ~3
      guard next <= end + 3, bytes.contains(descriptor, UInt64(size)) else { return }
      if nameSize == 4, bytes.read(UInt32.self, name) == 0x006e_6558 {
        take(bytes, type, at: descriptor, size: size)
      }
      offset = next
    }
  }

  private mutating func take(
    _ bytes: ModuleBytes, _ type: UInt32, at offset: UInt64, size: UInt32
  ) {
    isAny = true
    let number = number(bytes, offset, size)
    switch Int32(truncatingIfNeeded: type) {
    case XEN_ELFNOTE_ENTRY: entry = number
    case XEN_ELFNOTE_HYPERCALL_PAGE: hypercallPage = number
    case XEN_ELFNOTE_VIRT_BASE: virtualBase = number
    case XEN_ELFNOTE_PADDR_OFFSET: addressOffset = number
    case XEN_ELFNOTE_PAE_MODE:
      hasPAE = begins(bytes, offset, size, "yes") || begins(bytes, offset, size, "bimodal")
    case XEN_ELFNOTE_XEN_VERSION: hasVersion = begins(bytes, offset, size, "xen-3.0")
    case XEN_ELFNOTE_LOADER where begins(bytes, offset, size, "generic"): hasLoader = true
    case XEN_ELFNOTE_GUEST_OS where begins(bytes, offset, size, "linux"): hasLoader = true
    default: break
    }
  }

  /// A descriptor of another size than 1, 2, 4 or 8 bytes reads as 0, as the ABI has it.
  private func number(_ bytes: ModuleBytes, _ offset: UInt64, _ size: UInt32) -> UInt64 {
    switch size {
    case 1: UInt64(bytes.read(UInt8.self, offset) ?? 0)
    case 2: UInt64(bytes.read(UInt16.self, offset) ?? 0)
    case 4: UInt64(bytes.read(UInt32.self, offset) ?? 0)
    case 8: bytes.read(UInt64.self, offset) ?? 0
    default: 0
    }
  }

  private func begins(
    _ bytes: ModuleBytes, _ offset: UInt64, _ size: UInt32, _ text: StaticString
  ) -> Bool {
    guard Int(size) >= text.utf8CodeUnitCount else { return false }
    for index in 0..<text.utf8CodeUnitCount
    where bytes.read(UInt8.self, offset + UInt64(index)) != text.utf8Start[index] {
      return false
    }
    return true
  }

  /// Whether the image is one for this hypervisor at all.
  func check() throws(ImageError) {
    guard isAny else { throw .noNotes }
    guard hasLoader else { throw .wrongLoader }
    guard hasVersion else { throw .wrongVersion }
  }
}
