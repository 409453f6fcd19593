// Linux with Xen's toolstack, for domain 0 of stock Xen: a folder that .ci/xen-dom0 makes.

import Foundation

/// The files of such a folder.
struct DomainZeroFiles {
  /// Path of the kernel.
  let kernel: String
  /// Path of the initramfs with the toolstack.
  let initramfs: String

  /// Finds the folder for `request`.
  init(for request: BootRequest) throws(HarnessError) {
    let named = request.controlDomainImage
    let folders = named.map { [$0] } ?? Self.candidates
    for folder in folders {
      let (kernel, initramfs) = (folder + "/vmlinuz", folder + "/initramfs.cpio")
      if [kernel, initramfs].allSatisfy(FileManager.default.isReadableFile(atPath:)) {
        self.kernel = kernel
        self.initramfs = initramfs
        return
      }
    }
    if let named {
      throw .input(
        path: named,
        expected: "domain 0's files for stock Xen: a folder with vmlinuz and initramfs.cpio",
        found: "none")
    }
    throw .missing(
      what: "domain 0 for stock Xen, which `.ci/xen-dom0` of this project makes,",
      package: "xen-utils-4.17, linux-image-amd64, busybox-static; unpacked, not installed")
  }

  private static var candidates: [String] {
    var candidates: [String] = []
    let variable = ProcessInfo.processInfo.environment["XENOGRAFT_XEN_DOMAIN0"]
    if let variable, !variable.isEmpty { candidates.append(variable) }
    candidates += HypervisorImage.foldersInCheckout("xen-dom0")
    candidates.append(
      HypervisorImage.executable.deletingLastPathComponent()
        .appending(path: "../lib/xenograft/xen-dom0").standardized.path)
    return candidates
  }
}
