// What an audit of several images found, ready to be rendered or gated.

/// What the scan read, counted.
public struct ScanTotals: Sendable {
  /// Bytes of code that the sweep covered.
  public var bytes = 0
  /// Instructions that it decoded; padding counts as instructions.
  public var instructions = 0
  /// Places where no instruction could be decoded.
  public var undecodable = 0
  /// Each of them (the first thousand): section, address and bytes.
  public var undecodableAt: [Undecodable] = []
  /// `int3` that pads or traps after a transfer, `ud2`, `ud1`, `ud0`: counted and not listed, since a guest's own trap table receives them.
  public var traps: [String: Int] = [:]
  /// Wall time of the scan; `nil` unless asked for, so that two runs print the same.
  public var seconds: Double?

  public init() {}
}

/// A place where no instruction could be decoded.
public struct Undecodable: Sendable, Hashable {
  public var section: String
  public var address: UInt64
  public var bytes: [UInt8]
  /// The function around it, where known.
  public var function: String?

  public init(section: String, address: UInt64, bytes: [UInt8], function: String?) {
    self.section = section
    self.address = address
    self.bytes = bytes
    self.function = function
  }
}

/// The findings of one image.
public struct ImageResult: Sendable {
  public var path: String
  /// `elf64`, `elf32`, `bzImage`, `pe`, `multiboot` or `raw`.
  public var format: String
  public var bits: Int
  public var buildID: String?
  public var sha256: String
  public var scanned: ScanTotals
  /// In order of section (relocatable files) and address.
  public var findings: [Finding]
  /// What the user should know about how the image was read.
  public var remarks: [String]
  /// Fingerprints in the baseline that this image does not have any more.
  public var fixed: [String] = []

  public init(
    path: String, format: String, bits: Int, buildID: String?, sha256: String, scanned: ScanTotals,
    findings: [Finding], remarks: [String]
  ) {
    self.path = path
    self.format = format
    self.bits = bits
    self.buildID = buildID
    self.sha256 = sha256
    self.scanned = scanned
    self.findings = findings
    self.remarks = remarks
  }
}

/// One run of the audit.
public struct AuditResult: Sendable {
  public var target: Target
  public var images: [ImageResult]
  /// The rules that the findings name, by identifier: what the renderers explain.
  public var rules: [String: Rule]

  public init(target: Target, images: [ImageResult], rules: [String: Rule]) {
    self.target = target
    self.images = images
    self.rules = rules
  }
}
