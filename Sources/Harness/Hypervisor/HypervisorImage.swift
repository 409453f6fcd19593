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
    let candidates =
      switch request.hypervisor {
      case .rootstock: candidates("rootstock")
      case .xen: xenCandidates
      }
    if let found = candidates.first(where: FileManager.default.isReadableFile(atPath:)) {
      return found
    }
    switch request.hypervisor {
    case .rootstock:
      throw .missing(
        what: "the hypervisor image `rootstock` beside \(executable.path)",
        package: "none: `make` of this project builds it")
    case .xen:
      throw .missing(what: "a Xen image in /boot", package: "xen-hypervisor-4.17-amd64")
    }
  }

  /// The path of the control domain's image for `request`, which on stock Xen is Linux's; `nil` where
  /// it needs none.
  static func controlDomain(for request: BootRequest) throws(HarnessError) -> String? {
    guard request.needsControlDomain else { return nil }
    if request.hypervisor == .xen { return try DomainZeroFiles(for: request).kernel }
    if let named = request.controlDomainImage { return named }
    // Faults are in an image of their own.
    let name = request.faults.isEmpty ? "controldomain" : "controldomain-faulty"
    if let found = candidates(name).first(
      where: FileManager.default.isReadableFile(atPath:))
    {
      return found
    }
    throw .missing(
      what: "the control domain's image `\(name)` beside \(executable.path)",
      package: "none: `make` of this project builds it")
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

  static var executable: URL {
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
  }

  /// Beside the command, where `make` and `make install` put it.
  private static func candidates(_ name: String) -> [String] {
    let folder = executable.deletingLastPathComponent()
    return [
      folder.appending(path: name).path,
      folder.appending(path: "../lib/xenograft/\(name)").standardized.path,
    ]
  }

  private static var xenCandidates: [String] {
    var candidates: [String] = []
    if let named = ProcessInfo.processInfo.environment["XENOGRAFT_XEN"], !named.isEmpty {
      candidates.append(named)
    }
    candidates += images(in: "/boot")
    // In a checkout, where .ci/xen puts it.
    for folder in foldersInCheckout("xen") { candidates += images(in: folder) }
    return candidates
  }

  /// Where the command stands in .build/release or .build/debug, a folder of .build may be.
  static func foldersInCheckout(_ name: String) -> [String] {
    let folder = executable.deletingLastPathComponent()
    return ["..", "../.."].map {
      folder.appending(path: $0).appending(path: name).standardized.path
    }
  }

  /// Newest first, as far as names tell.
  private static func images(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasPrefix("xen-") && $0.hasSuffix(".gz") }
      .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
      .map { "\(folder)/\($0)" }
  }
}
