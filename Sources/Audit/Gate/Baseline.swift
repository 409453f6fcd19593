// A record of the findings that a project knows and lives with, so that CI fails on new ones only.
// AuditReport writes the file (Baseline+JSON.swift); this reads it and compares.

/// The known findings of images, by the images' names.
public struct Baseline: Sendable, Equatable {
  /// Findings that share a fingerprint.
  public struct Entry: Sendable, Equatable {
    public var rule: String
    /// For people who read the file; the comparison goes by fingerprint.
    public var function: String?
    public var count: Int

    public init(rule: String, function: String?, count: Int) {
      self.rule = rule
      self.function = function
      self.count = count
    }
  }

  /// The schema that files name.
  public static let schema = "xenograft.audit-baseline/1"
  /// Bytes that a file may have at most.
  static let sizeLimit = 256 << 20

  public var target: Target
  /// By the name of the image (never its path), then by fingerprint.
  public var images: [String: [String: Entry]]

  /// Records the findings of `result`.
  public init(of result: AuditResult) {
    target = result.target
    images = [:]
    for image in result.images {
      let name = Self.name(of: image)
      var entries = images[name] ?? [:]
      for finding in image.findings {
        entries[
          finding.fingerprint,
          default: Entry(rule: finding.rule, function: finding.function, count: 0)
        ].count += 1
      }
      images[name] = entries
    }
  }

  /// Reads a baseline from a file.
  public init(path: String) throws(GateFileError) {
    try self.init(path: path, bytes: readGateFile(path, limit: Self.sizeLimit))
  }

  /// Reads a baseline from the bytes of a file; `path` is for errors.
  public init(path: String, bytes: [UInt8]) throws(GateFileError) {
    let document = try LocatedDocument(path: path, bytes: bytes, schema: Self.schema)
    let named = try document.member("target", of: document.root)
    guard let target = Target(rawValue: try document.string(named)) else {
      throw document.fault(
        "one of " + Target.allCases.map(\.rawValue).joined(separator: ", "), at: named)
    }
    self.target = target
    images = [:]
    for image in try document.array(document.member("images", of: document.root)) {
      let name = try document.string(document.member("name", of: image))
      var entries = images[name] ?? [:]
      for item in try document.array(document.member("findings", of: image)) {
        let fingerprint = try document.string(document.member("fingerprint", of: item))
        let rule = try document.string(document.member("rule", of: item))
        var function: String?
        if let value = try document.optional("function", of: item) {
          function = try document.string(value)
        }
        var count = 1
        if let value = try document.optional("count", of: item) {
          count = try document.count(value)
        }
        var entry = entries[fingerprint] ?? Entry(rule: rule, function: function, count: 0)
        let (sum, overflow) = entry.count.addingReportingOverflow(count)
        guard !overflow else { throw document.fault("a count that fits 64 bits", at: item) }
        entry.count = sum
        entries[fingerprint] = entry
      }
      images[name] = entries
    }
  }

  /// Marks each finding as new or known, and lists what is gone.
  ///
  /// Images are matched by name; where several share one, the last lists what is gone.
  public func compare(_ result: inout AuditResult) {
    var left = images
    var last: [String: Int] = [:]
    for index in result.images.indices {
      let name = Self.name(of: result.images[index])
      last[name] = index
      for position in result.images[index].findings.indices {
        let fingerprint = result.images[index].findings[position].fingerprint
        let count = left[name]?[fingerprint]?.count ?? 0
        result.images[index].findings[position].baselineState = count > 0 ? .known : .new
        if count > 0 { left[name]?[fingerprint]?.count = count - 1 }
      }
      result.images[index].fixed = []
    }
    for (name, index) in last {
      // A count out of a file is not trusted with memory: each fingerprint is listed once.
      result.images[index].fixed = (left[name] ?? [:]).filter { $0.value.count > 0 }.keys.sorted()
    }
  }

  private static func name(of image: ImageResult) -> String {
    image.path.split(separator: "/").last.map(String.init) ?? image.path
  }
}
