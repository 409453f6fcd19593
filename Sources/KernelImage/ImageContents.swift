// What a reader of one format finds, before names are sorted and the image is made of it.

/// The parts of a ``KernelImage`` while it is being read.
struct ImageContents {
  var format: ImageFormat
  var width: CodeWidth
  var isRelocatable = false
  var buildID: String?
  var sections: [ImageSection] = []
  var symbols: [ImageSymbol] = []
  var entries: [CodeEntry] = []
  var relocations = RelocationTables()
  var remarks: [String] = []

  init(format: ImageFormat, width: CodeWidth) {
    self.format = format
    self.width = width
  }

  /// Adds a section behind the others and returns its index.
  @discardableResult
  mutating func append(
    name: String, address: UInt64, size: UInt64, isAllocated: Bool = true,
    isExecutable: Bool, isWritable: Bool = false, bytes: ImageBytes
  ) -> Int {
    let index = sections.count
    sections.append(
      ImageSection(
        index: index, name: name, address: address, size: size, isAllocated: isAllocated,
        isExecutable: isExecutable, isWritable: isWritable, bytes: bytes))
    return index
  }

  /// The image has at least one name for code.
  var hasFunctionNames: Bool {
    symbols.contains { symbol in
      guard symbol.kind != .object, let section = symbol.section else { return false }
      return sections[section].isExecutable
    }
  }
}
