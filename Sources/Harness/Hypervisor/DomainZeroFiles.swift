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
    if let folder = named ?? HypervisorImage.find(.xenDomainZero) {
      let files = BootImage.xenDomainZero.files(at: folder)
      if files.allSatisfy(FileManager.default.isReadableFile(atPath:)) {
        (kernel, initramfs) = (files[0], files[1])
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
      what: "domain 0's files for stock Xen",
      remedy: .step("`.ci/xen-dom0` of this project makes them out of Debian's packages"))
  }
}
