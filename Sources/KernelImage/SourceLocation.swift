// Where an address came from in the source.

/// One function that was inlined at an address.
public struct InlineFrame: Sendable, Hashable {
  /// The function whose body stands here.
  public var function: String
  /// The file of the line that is meant; `nil` where unknown.
  public var file: String?
  public var line: Int?

  public init(function: String, file: String?, line: Int?) {
    self.function = function
    self.file = file
    self.line = line
  }
}

/// Function, line and inlined frames of an address, as llvm-symbolizer prints them.
public struct SourceLocation: Sendable, Hashable {
  /// The innermost function (inlined or not) first, the function that holds the code last.
  ///
  /// Each carries the line that is current in it. Empty where debugging information has nothing to say.
  public var frames: [InlineFrame]

  public init(frames: [InlineFrame]) {
    self.frames = frames
  }
}
