// One thing that is wrong with an image, or worth knowing: data only, rendered elsewhere.

/// A way to start a kernel.
public enum BootProtocol: String, Sendable, CaseIterable {
  case pv64
  case pv32
  case pvh
  case multiboot1
  case multiboot2
  case linux
}

/// Who loads a kernel by one of the protocols.
public enum Loader: String, Sendable, CaseIterable {
  /// The hypervisor itself, when it builds its first domain.
  case xenDomain0 = "xen-domain0"
  /// Xen's toolstack, for every other domain.
  case xenDomain = "xen-domain"
  /// The kit's own hypervisor.
  case rootstock
  /// A boot loader for multiboot, such as GRUB.
  case multiboot
  /// A boot loader for Linux.
  case linux
}

/// What a finding means for the loaders that it names, the worst first.
public enum Severity: String, Sendable, CaseIterable, Comparable {
  /// The loader does not take the image.
  case refused
  /// The loader takes the image, and the kernel cannot run.
  case fails
  /// The loader takes the image; whether the kernel runs is luck, or depends on the host.
  case risk
  /// Nothing fails, and yet somebody should know.
  case advice

  public static func < (left: Self, right: Self) -> Bool {
    left.rank < right.rank
  }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// A rule's judgement of an image.
public struct Finding: Sendable, Equatable {
  /// Name of the rule, stable between versions.
  public var rule: String
  public var severity: Severity
  /// The protocol that it is about.
  public var bootProtocol: BootProtocol
  /// The loaders to which it matters.
  public var loaders: [Loader]
  /// The note or header that is at fault.
  public var subject: String
  public var expected: String
  public var found: String
  /// What to write instead.
  public var cure: String
}
