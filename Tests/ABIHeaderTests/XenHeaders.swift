// Xen's public headers as Debian's libxen-dev installs them, and which of them the tests compile.
// Nothing of them is in this repository: where they are not installed, the tests are skipped.

import Foundation

/// The installed headers.
enum XenHeaders {
  /// The folder that holds `xen/`; `XENOGRAFT_XEN_INCLUDE` names another one.
  static let includeFolder =
    ProcessInfo.processInfo.environment["XENOGRAFT_XEN_INCLUDE"] ?? "/usr/include"

  static let areInstalled = FileManager.default.fileExists(
    atPath: includeFolder + "/xen/grant_table.h")

  static let skipReason = "libxen-dev is not installed (no xen/grant_table.h)"

  /// The headers that guests and domain 0's drivers use, relative to `xen/`.
  static let compiled = [
    "xen.h", "errno.h", "grant_table.h", "event_channel.h", "callback.h", "sched.h", "vcpu.h",
    "nmi.h", "physdev.h", "memory.h", "platform.h", "version.h", "features.h", "elfnote.h",
    "pmu.h", "arch-x86/cpuid.h", "arch-x86/xen-mca.h", "arch-x86/hvm/start_info.h",
    "hvm/params.h", "hvm/hvm_op.h", "hvm/hvm_vcpu.h", "io/console.h", "io/ring.h",
    "io/protocols.h", "io/xs_wire.h", "io/xenbus.h", "io/blkif.h", "io/netif.h", "io/kbdif.h",
    "io/fbif.h", "io/9pfs.h", "io/pciif.h", "io/tpmif.h", "io/vscsiif.h", "io/usbif.h",
    "io/pvcalls.h",
  ]

  /// What stands before the first assertion.
  ///
  /// `__XEN_TOOLS__` selects the newest interface version and makes names visible that the headers
  /// keep from kernels; it changes no layout. The macros of rings want `memcpy` and barriers.
  static let prelude: String = {
    let lines =
      [
        "#include <stdint.h>", "#include <stddef.h>",
        "void *memcpy(void *, const void *, size_t);", "void *memset(void *, int, size_t);",
        "#define __XEN_TOOLS__ 1", "#define xen_mb()", "#define xen_rmb()", "#define xen_wmb()",
      ] + compiled.map { "#include <xen/\($0)>" }
    return lines.joined(separator: "\n") + "\n"
  }()

  /// Every installed header, relative to `xen/`, in order.
  static func all() -> [String] {
    let root = includeFolder + "/xen"
    let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return files.filter { $0.hasSuffix(".h") }.sorted()
  }
}
