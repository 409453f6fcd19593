// A folder for one run. QEMU splits the names of modules at blanks and commas, so what it loads
// gets plain names here, and it runs with the folder as its own.

import Foundation
import KernelImage

/// The files of one run; gone with their owner.
final class Staging: Sendable {
  let folder: URL

  /// Puts the guests' files and the hypervisor in place.
  init(_ request: BootRequest, _ plan: GuestPlan) throws(HarnessError) {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "xenograft-boot-\(UUID().uuidString)")
    let hypervisor = try HypervisorImage.contents(of: HypervisorImage.path(for: request))
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
      RunningMachine.willUse(folder: folder.path)
      try hypervisor.write(to: folder.appending(path: "hypervisor"))
    } catch {
      throw Self.fault(error, folder.path, "a folder that can be written")
    }
    if plan.modules.count == 1, let kernel = plan.modules[0].contents {
      try write(kernel, as: "guest", path: request.kernel)
    } else {
      try stage(request.kernel, as: "guest", what: "the guest's kernel")
    }
    try Self.checkKernel(request.kernel, on: request.hypervisor)
    if let initrd = request.initrd {
      try stage(initrd, as: "initrd", what: "the guest's ramdisk")
    }
    for (index, module) in plan.modules.enumerated() where module.contents == nil {
      try stage(module.path, as: "module\(index)", what: module.role)
    }
    for (number, disk) in request.disks.enumerated() {
      try stage(disk.path, as: DevicePlan.fileName(ofDisk: number), what: "a disk")
    }
    if request.hypervisor == .xen, plan.hasControlDomain {
      try ModulePacking.extend(
        DomainZeroFiles(for: request).initramfs, with: ToolstackGuest(request).members,
        to: folder.appending(path: "ramdisk0"))
    }
    for guest in request.beside {
      try Self.checkKernel(guest.kernel, on: request.hypervisor)
    }
    if request.hypervisor == .rootstock, plan.modules.count > 1 {
      try ModulePacking.write(plan.modules, to: folder.appending(path: "modules"))
    }
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
    RunningMachine.didUse(folder: folder.path)
  }

  /// The path of QEMU's messages.
  var messages: String { folder.appending(path: "messages").path }

  /// A file that no loader could take is the user's mistake and no guest's crash.
  static func checkKernel(
    _ path: String, on hypervisor: HypervisorKind
  ) throws(HarnessError) {
    if SavedDomainFile.isSaved(path) { return }
    let image: KernelImage
    do throws(ImageError) {
      image = try KernelImage.open(path: path, options: OpenOptions(readsKallsyms: false))
    } catch {
      throw .input(path: error.path, expected: error.expected, found: error.found)
    }
    guard hypervisor == .xen, image.width == .bits32 else { return }
    throw .input(
      path: path, expected: "a kernel of 64 bits for stock Xen",
      found: "one of 32 bits (Debian's Xen has no 32-bit PV guests; --hypervisor rootstock has)")
  }

  /// A disk without room is this machine's fault and not the user's.
  private static func fault(_ error: any Error, _ path: String, _ expected: String) -> HarnessError
  {
    if (error as? CocoaError)?.code == .fileWriteOutOfSpace {
      let folder = FileManager.default.temporaryDirectory.path
      return .missing(what: "room for the files of a boot in \(folder)", remedy: .step("free some"))
    }
    return .input(path: path, expected: expected, found: error.localizedDescription)
  }

  private func write(_ bytes: [UInt8], as name: String, path: String) throws(HarnessError) {
    do {
      try Data(bytes).write(to: folder.appending(path: name))
    } catch {
      throw Self.fault(error, path, "room for the unpacked kernel")
    }
  }

  private func stage(_ path: String, as name: String, what: String) throws(HarnessError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
      FileManager.default.isReadableFile(atPath: path)
    else {
      throw .input(
        path: path, expected: what,
        found: isFolder.boolValue ? "a folder" : "no file that can be read")
    }
    do {
      try FileManager.default.createSymbolicLink(
        at: folder.appending(path: name),
        withDestinationURL: URL(filePath: path).absoluteURL)
    } catch {
      throw .input(path: path, expected: what, found: error.localizedDescription)
    }
  }
}
