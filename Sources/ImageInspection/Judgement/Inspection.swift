// What an inspection gives: the notes as read, the protocols with a verdict for each loader, the
// memory that the kernel would find, and the findings.

/// A decoded note, or a pair of the older text.
public struct InspectedNote: Sendable, Equatable {
  /// What the note says.
  public enum Value: Sendable, Equatable {
    case number(UInt64)
    case text(String)
    case bytes([UInt8])
  }
  /// What a loader makes of it.
  public enum Use: String, Sendable {
    case used
    /// A later note of the same type replaces it.
    case overridden
    /// The loader does not know the type, or it is somebody else's.
    case ignored
    /// The contents have a size that the loader cannot read; it takes 0.
    case unreadable
  }
  /// Name in abi/, or of the older text; `nil` where it is unknown.
  public var name: String?
  public var owner: String
  public var type: UInt32?
  public var value: Value
  public var size: UInt32
  /// File offset.
  public var offset: UInt64
  /// The segment or section that it stands in.
  public var source: String
  public var use: Use
}

/// A loader's verdict on one protocol.
public struct LoaderVerdict: Sendable, Equatable {
  public enum Outcome: String, Sendable {
    case boots
    /// It is loaded; whether it runs depends on what the findings of severity risk say.
    case uncertain
    case fails
    case refused
  }
  public var loader: Loader
  public var outcome: Outcome
  /// The rules that decided, in the order in which the loader looks.
  public var rules: [String]
}

/// A protocol as far as the image offers it.
public struct ProtocolReport: Sendable, Equatable {
  public var bootProtocol: BootProtocol
  /// The image carries what the protocol asks for at the least.
  public var isOffered: Bool
  /// Where the image says so.
  public var evidence: String
  /// Address at which it would be entered, where known.
  public var entry: UInt64?
  public var loaders: [LoaderVerdict]

  /// One loader at least would start it.
  public var boots: Bool {
    isOffered && loaders.contains { $0.outcome == .boots || $0.outcome == .uncertain }
  }
}

/// Everything found in one image.
public struct Inspection: Sendable, Equatable {
  public var path: String
  /// `elf64`, `elf32`, `bzImage`, `multiboot` or `other`.
  public var format: String
  public var compression: String?
  public var notes: [InspectedNote]
  public var protocols: [ProtocolReport]
  /// One for each PV loader.
  public var layouts: [InitialLayout]
  /// In the order in which loaders look.
  public var findings: [Finding]

  /// Some protocol would start the image.
  public var boots: Bool { protocols.contains(where: \.boots) }
}

/// What the image would be given to run with.
public struct InspectionOptions: Sendable, Equatable {
  /// Memory of the domain, in bytes.
  public var memory: UInt64
  /// Size of the initial ramdisk, in bytes.
  public var ramdisk: UInt64

  public init(memory: UInt64 = 128 << 20, ramdisk: UInt64 = 0) {
    self.memory = memory
    self.ramdisk = ramdisk
  }
}
