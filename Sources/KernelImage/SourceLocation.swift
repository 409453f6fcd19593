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
  /// The outermost function's name in the source, as the debugging information has it.
  ///
  /// The frame itself carries the symbol's name, which differs where the compiler has cut off a
  /// part of the function or cloned it: `reboot` here is `reboot.cold` there. Empty where only the
  /// symbol table names the function, as in assembly; `nil` without frames.
  public var definition: String?

  public init(frames: [InlineFrame], definition: String? = nil) {
    self.frames = frames
    self.definition = definition
  }
}
