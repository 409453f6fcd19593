// What inspecting an image gives. Data only; renderers stand in BootReport+Rendering.

/// A fault or a remark, with its cure.
public struct BootFinding: Sendable, Equatable {
  public enum Severity: String, Sendable {
    /// The loader refuses the image.
    case refused
    /// It loads, and what follows is likely wrong.
    case warning
  }
  public var severity: Severity
  /// The note or part that it is about.
  public var subject: String
  public var expected: String
  public var found: String
  /// What to write instead.
  public var cure: String

  public init(
    _ severity: Severity, _ subject: String, expected: String, found: String, cure: String
  ) {
    self.severity = severity
    self.subject = subject
    self.expected = expected
    self.found = found
    self.cure = cure
  }
}

/// A way to start a kernel.
public enum BootProtocol: String, Sendable, CaseIterable {
  case xenPV = "xen-pv"
  case pvh
  case multiboot1
  case multiboot2
  case linux
}

/// What one protocol's loader makes of the image.
public struct BootVerdict: Sendable, Equatable {
  public var bootProtocol: BootProtocol
  /// The image says that it can be started so.
  public var isOffered: Bool
  /// In the order in which the loader looks.
  public var findings: [BootFinding]
  public var entry: UInt64?

  public var isAccepted: Bool {
    isOffered && !findings.contains { $0.severity == .refused }
  }
}

/// A part of the memory that the image would get.
public struct BootRegion: Sendable, Equatable {
  public var name: String
  public var start: UInt64
  public var end: UInt64
}

/// All that is known of one image.
public struct BootReport: Sendable, Equatable {
  public var path: String
  /// `elf64`, `elf32`, `bzImage`, `unknown`.
  public var format: String
  public var notes: [DecodedNote]
  public var verdicts: [BootVerdict]
  /// The initial memory of a PV guest, where it would be loaded.
  public var layout: [BootRegion]

  /// Some protocol starts the image.
  public var boots: Bool { verdicts.contains(where: \.isAccepted) }
}
