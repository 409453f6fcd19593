// Where the images that a boot needs are looked for, and in which order.

import Foundation

/// Something that a boot loads beside the guest.
public enum BootImage: Sendable, CaseIterable {
  /// Rootstock.
  case rootstock
  /// Rootstock's domain 0 with the devices.
  case controlDomain
  /// The same with faults to ask for.
  case faultyControlDomain
  /// Stock Xen.
  case xen
  /// Linux with Xen's toolstack, as stock Xen's domain 0 with the devices: a folder.
  case xenDomainZero

  /// The files that must be readable for `path` to be it.
  public func files(at path: String) -> [String] {
    self == .xenDomainZero ? [path + "/vmlinuz", path + "/initramfs.cpio"] : [path]
  }
}

/// A place where an image may be.
public struct ImagePlace: Sendable, Equatable {
  /// The file's path, or the folder's.
  public let path: String
  /// Why one looks there, in words that follow the path.
  public let rule: String
}

/// Lists the places of images.
public struct ImagePlaces {
  private let commandFolder: URL
  private let environment: (String) -> String?
  private let names: (String) -> [String]

  /// Makes a list for a machine.
  ///
  /// - Parameters:
  ///   - commandFolder: The folder in which this command stands.
  ///   - environment: Values of environment variables.
  ///   - names: The names in a folder; none where there is no such folder.
  public init(
    commandFolder: String, environment: @escaping (String) -> String?,
    names: @escaping (String) -> [String]
  ) {
    self.commandFolder = URL(filePath: commandFolder)
    self.environment = environment
    self.names = names
  }

  /// This machine's.
  static var current: Self {
    Self(
      commandFolder: executable.deletingLastPathComponent().path,
      environment: { ProcessInfo.processInfo.environment[$0] },
      names: { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] })
  }

  /// This command's file.
  static var executable: URL {
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
  }

  /// The places of `image`, the first that is readable counts.
  public func places(of image: BootImage) -> [ImagePlace] {
    switch image {
    case .rootstock: besideCommand("rootstock")
    case .controlDomain: besideCommand("controldomain")
    case .faultyControlDomain: besideCommand("controldomain-faulty")
    case .xen:
      named("XENOGRAFT_XEN") + images(in: "/boot", "in /boot")
        + checkout("xen").flatMap { images(in: $0, "where .ci/xen puts it") }
    case .xenDomainZero:
      named("XENOGRAFT_XEN_DOMAIN0")
        + checkout("xen-dom0").map { ImagePlace(path: $0, rule: "where .ci/xen-dom0 makes it") }
        + [installed("xen-dom0")]
    }
  }

  /// Beside the command, where `make` and `make install` put it.
  private func besideCommand(_ name: String) -> [ImagePlace] {
    [
      ImagePlace(path: commandFolder.appending(path: name).path, rule: "beside the command"),
      installed(name),
    ]
  }

  private func installed(_ name: String) -> ImagePlace {
    ImagePlace(
      path: commandFolder.appending(path: "../lib/xenograft/\(name)").standardized.path,
      rule: "in lib/xenograft beside the command's folder")
  }

  private func named(_ variable: String) -> [ImagePlace] {
    guard let path = environment(variable), !path.isEmpty else { return [] }
    return [ImagePlace(path: path, rule: "named by $\(variable)")]
  }

  /// Where the command stands in .build/release or .build/debug, a folder of .build may be.
  private func checkout(_ name: String) -> [String] {
    ["..", "../.."].map {
      commandFolder.appending(path: $0).appending(path: name).standardized.path
    }
  }

  /// Newest first, as far as names tell.
  private func images(in folder: String, _ rule: String) -> [ImagePlace] {
    names(folder).filter { $0.hasPrefix("xen-") && $0.hasSuffix(".gz") }
      .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
      .map { ImagePlace(path: "\(folder)/\($0)", rule: rule) }
  }
}
