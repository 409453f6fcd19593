// Numbers of lines under the three counts, and changes under them.

/// How lines are counted.
public enum CountKind: String, Sendable, CaseIterable {
  /// Every line: the paper's count.
  case raw
  /// Lines with anything but white space.
  case nonblank
  /// Lines with anything but white space and comments.
  case code
}

/// What git's diff is told about white space.
public enum Whitespace: String, Sendable, CaseIterable {
  /// Lines that differ in white space alone are the same (`-w`).
  case ignore
  /// Every byte counts.
  case strict
}

/// One value for each way of counting.
public struct PerCount<Value: Sendable & Equatable>: Sendable, Equatable {
  public var raw: Value
  public var nonblank: Value
  public var code: Value

  public subscript(kind: CountKind) -> Value {
    switch kind {
    case .raw: raw
    case .nonblank: nonblank
    case .code: code
    }
  }
}

/// One value for each mode of white space.
public struct PerWhitespace<Value: Sendable & Equatable>: Sendable, Equatable {
  public var ignore: Value
  public var strict: Value

  public subscript(mode: Whitespace) -> Value {
    get { mode == .ignore ? ignore : strict }
    set {
      if mode == .ignore { ignore = newValue } else { strict = newValue }
    }
  }
}

/// Lines of a text under the three counts.
public typealias LineCounts = PerCount<Int>

extension PerCount<Int> {
  static let zero = Self(raw: 0, nonblank: 0, code: 0)

  static func += (left: inout Self, right: Self) {
    left.raw += right.raw
    left.nonblank += right.nonblank
    left.code += right.code
  }
}

/// What a change did to lines.
public struct LineChange: Sendable, Equatable {
  public var added = 0
  public var modified = 0
  public var removed = 0

  /// The effort: removed lines are not in the metric.
  public var lines: Int { added + modified }

  /// One hunk: what stands on both sides is modified, the rest added or removed.
  init(old: Int, new: Int) {
    modified = min(old, new)
    added = new - modified
    removed = old - modified
  }

  init() {}

  static func += (left: inout Self, right: Self) {
    left.added += right.added
    left.modified += right.modified
    left.removed += right.removed
  }

  static func -= (left: inout Self, right: Self) {
    left.added -= right.added
    left.modified -= right.modified
    left.removed -= right.removed
  }
}

/// Changes under the three counts.
public typealias ChangeCounts = PerCount<LineChange>

extension PerCount<LineChange> {
  static let zero = Self(raw: LineChange(), nonblank: LineChange(), code: LineChange())

  /// A hunk whose sides have these lines.
  init(old: LineCounts, new: LineCounts) {
    raw = LineChange(old: old.raw, new: new.raw)
    nonblank = LineChange(old: old.nonblank, new: new.nonblank)
    code = LineChange(old: old.code, new: new.code)
  }

  static func += (left: inout Self, right: Self) {
    left.raw += right.raw
    left.nonblank += right.nonblank
    left.code += right.code
  }

  static func -= (left: inout Self, right: Self) {
    left.raw -= right.raw
    left.nonblank -= right.nonblank
    left.code -= right.code
  }
}

extension PerWhitespace<ChangeCounts> {
  static let zero = Self(ignore: .zero, strict: .zero)

  static func += (left: inout Self, right: Self) {
    left.ignore += right.ignore
    left.strict += right.strict
  }

  static func -= (left: inout Self, right: Self) {
    left.ignore -= right.ignore
    left.strict -= right.strict
  }
}
