// Images for the comparison with Xen: one that is right, and what can be wrong with it.

import Foundation

/// A named image.
struct GuestCase {
  var name: String
  var bytes: [UInt8]
}

enum GuestCases {
  /// All of them, made of a page of code.
  static func all(code: [UInt8]) -> [GuestCase] {
    (identity + numbers + addresses + places + notePlaces + oldText + files + narrow).map {
      name, change in
      var image = GuestImage(code: code)
      return GuestCase(name: name, bytes: change(&image))
    }
  }

  typealias Change = (inout GuestImage) -> [UInt8]
  typealias Table = [(String, Change)]

  /// A change of the parts.
  private static func parts(_ change: @escaping (inout GuestImage) -> Void) -> Change {
    { image in
      change(&image)
      return image.build()
    }
  }

  /// A change of the finished file.
  private static func bytes(_ change: @escaping (inout [UInt8]) -> Void) -> Change {
    { image in
      var bytes = image.build()
      change(&bytes)
      return bytes
    }
  }

  static let base = GuestImage.base
  static let code = GuestImage.code

  private static var identity: Table {
    [
      ("sound", parts { _ in }),
      ("version-missing", parts { $0.remove(5) }),
      ("version-2.0", parts { $0.set(.text(5, "xen-2.0")) }),
      ("version-longer", parts { $0.set(.text(5, "xen-3.0-x86_64")) }),
      ("version-empty", parts { $0.set(.text(5, "")) }),
      ("version-as-number", parts { $0.set(.quad(5, 3, bytes: 4)) }),
      ("loader-missing", parts { $0.remove(8) }),
      (
        "loader-missing-linux",
        parts {
          $0.remove(8)
          $0.set(.text(6, "linux"))
        }
      ),
      ("loader-other", parts { $0.set(.text(8, "custom")) }),
      (
        "loader-other-linux",
        parts {
          $0.set(.text(8, "custom"))
          $0.set(.text(6, "linux-mine"))
        }
      ),
      ("loader-longer", parts { $0.set(.text(8, "generic-2")) }),
      ("loader-capital", parts { $0.set(.text(8, "Generic")) }),
      ("features-unknown", parts { $0.set(.text(10, "foo|bar")) }),
      ("features-unknown-required", parts { $0.set(.text(10, "!foo")) }),
      ("features-known", parts { $0.set(.text(10, "!writable_page_tables|pae_pgdir_above_4gb")) }),
      ("features-supervisor", parts { $0.set(.text(10, "!supervisor_mode_kernel")) }),
      ("features-supervisor-offered", parts { $0.set(.text(10, "supervisor_mode_kernel")) }),
      ("features-dom0-required", parts { $0.set(.text(10, "!dom0")) }),
      ("features-translated", parts { $0.set(.text(10, "!auto_translated_physmap")) }),
      ("features-preserve-ad-required", parts { $0.set(.text(10, "!mmu_pt_update_preserve_ad")) }),
      ("supported-none", parts { $0.set(.quad(17, 0)) }),
      ("supported-dom0", parts { $0.set(.quad(17, 1 << 11, bytes: 4)) }),
      (
        "supported-by-name",
        parts {
          $0.set(.quad(17, 0))
          $0.set(.text(10, "dom0"))
        }
      ),
      ("suspend-cancel-odd", parts { $0.set(.quad(14, 1, bytes: 3)) }),
      ("mod-start-pfn", parts { $0.set(.quad(16, 1)) }),
      ("symbols-wanted-none-there", parts { $0.set(.text(11, "yes")) }),
      ("phys32-beside", parts { $0.set(.quad(18, GuestImage.physical, bytes: 4)) }),
      (
        "phys32-alone",
        parts { $0.notes = [.quad(18, GuestImage.physical, bytes: 4)] }
      ),
      (
        "phys32-no-version",
        parts {
          $0.remove(5)
          $0.set(.quad(18, GuestImage.physical, bytes: 4))
        }
      ),
    ]
  }

  private static var numbers: Table {
    [
      ("base-3-bytes", parts { $0.set(.quad(3, base, bytes: 3)) }),
      ("base-2-bytes", parts { $0.set(.quad(3, base, bytes: 2)) }),
      ("base-16-bytes", parts { $0.set(.quad(3, base, bytes: 16)) }),
      ("base-as-text", parts { $0.set(.text(3, "0xffffffff80000000")) }),
      ("hypercall-page-0-bytes", parts { $0.set(.quad(2, 0, bytes: 0)) }),
      ("numbers-4-bytes", parts { $0.move(base: 0x1000_0000, bytes: 4) }),
      ("base-twice-last-wrong", parts { $0.notes.append(.quad(3, 0)) }),
      ("base-twice-last-right", parts { $0.notes.insert(.quad(3, 0), at: 0) }),
      ("hv-start-low", parts { $0.set(.quad(12, 0xffff_8000_0000_0000)) }),
      (
        "version-open",
        parts { $0.set(GuestImage.Note(type: 5, descriptor: Array("xen-3.0".utf8))) }
      ),
    ]
  }

  private static var addresses: Table {
    [
      ("entry-from-header", parts { $0.remove(1) }),
      ("entry-below", parts { $0.set(.quad(1, code - 1)) }),
      ("entry-at-end", parts { $0.set(.quad(1, code + 0x3000)) }),
      ("entry-behind", parts { $0.set(.quad(1, code + 0x3001)) }),
      ("entry-in-zeros", parts { $0.set(.quad(1, code + 0x2000)) }),
      ("entry-physical", parts { $0.set(.quad(1, GuestImage.physical)) }),
      ("base-missing", parts { $0.remove(3) }),
      (
        "base-missing-linked-low",
        parts {
          $0.move(base: 0)
          $0.remove(3)
        }
      ),
      ("base-zero", parts { $0.move(base: 0) }),
      ("base-in-xen", parts { $0.move(base: 0xffff_8200_0000_0000) }),
      ("base-touches-xen", parts { $0.move(base: 0xffff_7fff_ffc0_0000) }),
      ("base-not-canonical", parts { $0.move(base: 0x0000_9000_0000_0000) }),
      ("base-at-top", parts { $0.move(base: 0xffff_ffff_ff80_0000) }),
      ("base-last-4mb", parts { $0.move(base: 0xffff_ffff_ffc0_0000) }),
      ("base-unaligned", parts { $0.move(base: base + 0x123) }),
      ("base-half-page", parts { $0.move(base: base + 0x800) }),
      ("base-page", parts { $0.move(base: base + 0x1000) }),
      ("base-above-image", parts { $0.set(.quad(3, base + 0x40_0000)) }),
      ("base-other-slot", parts { $0.move(base: 0xffff_8800_0000_0000) }),
      ("base-user-half", parts { $0.move(base: 0x0000_7000_0000_0000) }),
      (
        "offset-without-base",
        parts {
          $0.remove(3)
          $0.set(.quad(4, 0))
        }
      ),
      (
        "offset-virtual",
        parts {
          $0.segments[0].physical = code
          $0.set(.quad(4, base))
        }
      ),
      ("offset-too-high", parts { $0.set(.quad(4, GuestImage.physical + 0x1000)) }),
      ("paddr-virtual-no-offset", parts { $0.segments[0].physical = code }),
      ("linked-elsewhere", parts { $0.segments[0].virtual = base }),
    ]
  }

  private static var places: Table {
    [
      ("hypercall-page-missing", parts { $0.remove(2) }),
      ("hypercall-page-below", parts { $0.set(.quad(2, base - 0x1000)) }),
      ("hypercall-page-above", parts { $0.set(.quad(2, base + 0x1000_0000)) }),
      ("hypercall-page-before-image", parts { $0.set(.quad(2, base + 0x1000)) }),
      ("hypercall-page-behind-image", parts { $0.set(.quad(2, base + 0x3f_f000)) }),
      ("hypercall-page-at-region-end", parts { $0.set(.quad(2, base + 0x40_0000)) }),
      ("hypercall-page-unaligned", parts { $0.set(.quad(2, code + 0x1100)) }),
      ("hypercall-page-physical", parts { $0.set(.quad(2, GuestImage.physical + 0x1000)) }),
      ("hypercall-page-on-code", parts { $0.set(.quad(2, code)) }),
      ("p2m-in-image", parts { $0.set(.quad(15, code + 0x1000)) }),
      ("p2m-at-image-end", parts { $0.set(.quad(15, code + 0x3000)) }),
      ("p2m-in-region", parts { $0.set(.quad(15, base + 0x38_0000)) }),
      ("p2m-apart", parts { $0.set(.quad(15, 0x80_0000_0000)) }),
      ("p2m-in-xen", parts { $0.set(.quad(15, 0xffff_8100_0000_0000)) }),
      ("p2m-not-canonical", parts { $0.set(.quad(15, 0x0000_9000_0000_0000)) }),
      ("p2m-unaligned", parts { $0.set(.quad(15, 0x80_0000_0123)) }),
      ("image-high-in-region", parts { $0.move(base: base, physical: 0x400_0000) }),
      ("image-too-high", parts { $0.move(base: base, physical: 0x700_0000) }),
      ("image-too-large", parts { $0.segments[0].memorySize = 0x1000_0000 }),
      ("image-63-mb", parts { $0.segments[0].memorySize = 0x3d0_0000 }),
      ("image-size-wraps", parts { $0.segments[0].memorySize = 0xffff_ffff_ffff_0000 }),
      (
        "two-segments",
        parts {
          $0.segments.append($0.segments[0])
          $0.segments[0].memorySize = 0x1000
          $0.segments[0].fileSize = 0x1000
          $0.segments[1].offset += 0x1000
          $0.segments[1].virtual += 0x1000
          $0.segments[1].physical += 0x1000
          $0.segments[1].fileSize = 0x1000
          $0.segments[1].memorySize = 0x2000
        }
      ),
      (
        "segments-overlap",
        parts {
          $0.segments.append($0.segments[0])
          $0.segments[1].offset += 0x1000
        }
      ),
      ("segment-file-larger", parts { $0.segments[0].memorySize = 0x1000 }),
      ("segment-no-flags", parts { $0.segments[0].flags = 0 }),
      ("segment-read-only", parts { $0.segments[0].flags = 4 }),
      ("segment-none", parts { $0.segments = [] }),
      (
        "segment-empty",
        parts {
          $0.segments[0].memorySize = 0
          $0.segments[0].fileSize = 0
        }
      ),
    ]
  }

  private static var notePlaces: Table {
    [
      ("notes-none", parts { $0.place = .none }),
      ("notes-empty", parts { $0.notes = [] }),
      ("notes-in-section", parts { $0.place = .section }),
      (
        "notes-of-gnu-before-section",
        parts {
          $0.sectionNotes = $0.notes
          $0.notes = [
            GuestImage.Note(owner: Array("GNU\0".utf8), type: 3, descriptor: [1, 2, 3, 4])
          ]
          $0.place = .both
        }
      ),
      (
        "notes-of-gnu-only",
        parts {
          $0.notes = [
            GuestImage.Note(owner: Array("GNU\0".utf8), type: 3, descriptor: [1, 2, 3, 4])
          ]
        }
      ),
      (
        "notes-segment-at-0",
        parts {
          $0.notePlace = 0
          $0.place = .both
        }
      ),
      ("notes-segment-at-0-alone", parts { $0.notePlace = 0 }),
      ("owner-lower-case", parts { change(&$0) { $0.owner = Array("xen\0".utf8) } }),
      ("owner-longer", parts { change(&$0) { $0.owner = Array("XenX\0".utf8) } }),
      ("owner-without-zero", parts { change(&$0) { $0.owner = Array("Xen".utf8) } }),
      ("padding-8", parts { change(&$0) { $0.padding = 8 } }),
      ("padding-1", parts { change(&$0) { $0.padding = 1 } }),
      ("unknown-types", parts { $0.notes += [.quad(19, 1), .quad(99, 1), .quad(0x100_0001, 1)] }),
      ("unknown-types-only", parts { $0.notes = [.quad(19, 1)] }),
      (
        "note-size-past-file",
        parts {
          $0.notes.append(.quad(14, 1))
          $0.notes[$0.notes.count - 1].statedSize = 0x10_0000
        }
      ),
      (
        "first-note-size-past-file",
        parts { $0.notes[0].statedSize = 0x10_0000 }
      ),
      (
        "first-note-size-huge",
        parts { $0.notes[0].statedSize = 0xffff_fff0 }
      ),
    ]
  }

  private static func change(
    _ image: inout GuestImage, _ change: (inout GuestImage.Note) -> Void
  ) {
    for index in image.notes.indices { change(&image.notes[index]) }
  }

  private static func old(_ text: String) -> Change {
    parts {
      $0.place = .none
      $0.notes = []
      $0.guestText = text
    }
  }

  private static let identityText = "GUEST_OS=inspected,XEN_VER=xen-3.0,LOADER=generic,"

  private static var oldText: Table {
    [
      ("old", old(identityText + "VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0x0")),
      (
        "old-hypercall-page",
        old(
          identityText
            + "VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0x0,HYPERCALL_PAGE=0x201")
      ),
      (
        "old-hypercall-page-first",
        old(
          "HYPERCALL_PAGE=0x201," + identityText + "VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0"
        )
      ),
      (
        "old-hypercall-page-address",
        old(
          identityText
            + "VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0x0,HYPERCALL_PAGE=0xffffffff80201000")
      ),
      ("old-offset-default", old(identityText + "VIRT_BASE=0xffffffff80000000")),
      ("old-no-version", old("LOADER=generic,VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0")),
      ("old-no-loader", old("XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0")),
      (
        "old-entry",
        old(
          identityText
            + "VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0,VIRT_ENTRY=0xffffffff80300000"
        )
      ),
      (
        "old-feature-required",
        old(identityText + "VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0,FEATURES=!foo")
      ),
      ("old-empty", old("")),
    ]
  }

  private static var files: Table {
    [
      ("machine-i386", parts { $0.machine = 3 }),
      ("machine-arm64", parts { $0.machine = 183 }),
      ("order-big", parts { $0.order = 2 }),
      ("class-3", parts { $0.fileClass = 3 }),
      ("cut-in-file-header", bytes { $0 = Array($0.prefix(32)) }),
      ("cut-in-program-headers", bytes { $0 = Array($0.prefix(0x60)) }),
      ("cut-in-notes", bytes { $0 = Array($0.prefix(0x410)) }),
      ("cut-in-segment", bytes { $0 = Array($0.prefix(0x2800)) }),
      ("cut-in-section-headers", bytes { $0.removeLast(0x40) }),
      ("magic-wrong", bytes { $0[1] = 0x65 }),
      (
        "cut-in-segment-no-sections",
        bytes {
          $0 = Array($0.prefix(0x2800))
          for index in 40..<48 { $0[index] = 0 }
          $0[60] = 0
        }
      ),
    ]
  }

  private static var narrow: Table {
    [
      (
        "narrow-pae",
        parts {
          $0.narrow()
          $0.set(.text(9, "yes"))
        }
      ),
      (
        "narrow-bimodal",
        parts {
          $0.narrow()
          $0.set(.text(9, "bimodal"))
        }
      ),
      ("narrow-no-pae", parts { $0.narrow() }),
      (
        "narrow-pae-no",
        parts {
          $0.narrow()
          $0.set(.text(9, "no"))
        }
      ),
      (
        "narrow-machine-64",
        parts {
          $0.narrow()
          $0.set(.text(9, "yes"))
          $0.machine = 62
        }
      ),
      (
        "narrow-no-version",
        parts {
          $0.narrow()
          $0.set(.text(9, "yes"))
          $0.remove(5)
        }
      ),
      ("wide-pae-no", parts { $0.set(.text(9, "no")) }),
    ]
  }
}
