// Where the hypervisor's image is, and how to say that it is not.

import Foundation
import KernelImage

/// Finds the hypervisor's image on this machine.
enum HypervisorImage {
  /// The path of the image for `request`.
  static func path(for request: BootRequest) throws(HarnessError) -> String {
    if let named = request.hypervisorImage {
      guard FileManager.default.isReadableFile(atPath: named) else {
        throw .input(path: named, expected: "the hypervisor's image", found: "no readable file")
      }
      return named
    }
    let image: BootImage = request.hypervisor == .rootstock ? .rootstock : .xen
    if let found = find(image) { return found }
    switch request.hypervisor {
    case .rootstock:
      throw .missing(
        what: "the hypervisor image `rootstock` beside \(ImagePlaces.executable.path)",
        remedy: .step("`make` of this project builds it"))
    case .xen:
      throw .missing(
        what: "a Xen image in /boot or where $XENOGRAFT_XEN says",
        remedy: .package("xen-hypervisor-4.17-amd64, which .ci/xen fetches and does not install"))
    }
  }

  /// The path of the control domain's image for `request`, which on stock Xen is Linux's; `nil` where
  /// it needs none.
  static func controlDomain(for request: BootRequest) throws(HarnessError) -> String? {
    guard request.needsControlDomain else { return nil }
    if request.hypervisor == .xen { return try DomainZeroFiles(for: request).kernel }
    if let named = request.controlDomainImage { return named }
    // Faults are in an image of their own.
    let image: BootImage = request.faults.isEmpty ? .controlDomain : .faultyControlDomain
    if let found = find(image) { return found }
    let name = request.faults.isEmpty ? "controldomain" : "controldomain-faulty"
    throw .missing(
      what: "the control domain's image `\(name)` beside \(ImagePlaces.executable.path)",
      remedy: .step("`make` of this project builds it"))
  }

  /// The bytes of the image, unpacked where it is compressed.
  static func contents(of path: String) throws(HarnessError) -> Data {
    do throws(ImageError) {
      let bytes = try CompressedFile.contents(path: path)
      return withExtendedLifetime(bytes) { Data(bytes.buffer) }
    } catch {
      throw .input(path: error.path, expected: error.expected, found: error.found)
    }
  }

  /// The first place of `image` that has it.
  static func find(_ image: BootImage) -> String? {
    ImagePlaces.current.places(of: image).first { place in
      image.files(at: place.path).allSatisfy(FileManager.default.isReadableFile(atPath:))
    }?.path
  }
}
