// One side of a pair, read.

/// What a file's bytes amount to.
struct FileText: Sendable {
  /// The lines; none where the file is binary.
  var classes = LineClasses()
  var isBinary = false
  var isGenerated = false

  /// Nothing: the side lacks the file.
  init() {}

  /// Reads the bytes, which are `nil` for what is larger than any text.
  init(_ bytes: UnsafeRawBufferPointer?, path: String) {
    guard let bytes, !TextFacts.isBinary(bytes) else {
      isBinary = true
      return
    }
    classes = TextFacts.classes(bytes, path: path)
    isGenerated = TextFacts.isGenerated(bytes)
  }
}
