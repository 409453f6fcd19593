// What was counted. Data only; renderings are in Report/.

/// The effort of a port.
public struct EffortReport: Sendable {
  /// One row of the table.
  public struct Section: Sendable, Equatable {
    public var name: String
    /// Whether it is part of the total.
    public var isCounted: Bool
    /// Files that are changed; 0 where the section is absent.
    public var files: Int
    public var changes: PerWhitespace<ChangeCounts>
    public var isAbsent: Bool { files == 0 }
  }

  /// One file that is not as it was.
  public struct File: Sendable, Equatable {
    public var path: String
    public var basePath: String?
    public var status: FileStatus
    public var section: String
    /// Why it is in that section.
    public var why: String?
    public var language: Language
    public var changes: PerWhitespace<ChangeCounts>
    /// Nothing but white space differs: ends of lines, say.
    public var isWhiteSpaceOnly: Bool {
      changes.ignore == .zero && changes.strict != .zero
    }
  }

  /// A path that counts for nothing, or that only a catch-all took.
  public struct Listed: Sendable, Equatable {
    public var binary: [String] = []
    public var symlink: [String] = []
    public var submodule: [String] = []
    public var excluded: [String] = []
    public var catchAll: [String] = []
    /// Devices, pipes and sockets.
    public var other: [String] = []
  }

  public var gitVersion: String
  /// The two sides: full hashes, or folders as they were given.
  public var base: String
  public var port: String
  public var baseName: String
  public var portName: String
  /// What the map is called, and its pairs of paths, guessed ones included.
  public var mapName: String
  public var paths: [EffortMap.PathPair]
  /// What nobody said and was guessed, in sentences.
  public var guesses: [String]
  public var sections: [Section]
  public var files: [File]
  public var baseLines: LineCounts
  public var baseFiles: Int
  public var include: [String]
  public var exclude: [String]
  public var listed: Listed

  /// The sum of the sections that count.
  public var total: PerWhitespace<ChangeCounts> {
    var total = PerWhitespace<ChangeCounts>.zero
    for section in sections where section.isCounted { total += section.changes }
    return total
  }

  /// The total as a part of the base; `nil` where the base has no line.
  public func portion(_ count: CountKind, _ mode: Whitespace) -> Double? {
    let lines = baseLines[count]
    return lines == 0 ? nil : Double(total[mode][count].lines) / Double(lines)
  }
}
