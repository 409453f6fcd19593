// Where function names come from when the image itself has none: the debug file, a System.map, or
// the kernel's own table.

/// Adds names to an image that lacks them.
struct NameSources {
  var path: String
  var options: OpenOptions

  func addNames(to contents: inout ImageContents) throws(ImageError) {
    if let debugFile = options.debugFile {
      try addNames(ofDebugFile: debugFile, to: &contents)
    }
    if let map = options.systemMap {
      try addNames(ofMap: map, to: &contents)
    }
    guard options.readsKallsyms, !contents.hasFunctionNames, !contents.isRelocatable,
      contents.format != .raw, contents.format != .pe
    else { return }
    if let symbols = Kallsyms.read(contents) {
      contents.symbols = symbols
      contents.remarks.append("no symbol table; function names come from the kernel's kallsyms")
    } else {
      contents.remarks.append("no symbol table and no kallsyms; functions have no names")
    }
  }

  private func addNames(
    ofDebugFile debugFile: String, to contents: inout ImageContents
  ) throws(ImageError) {
    let file = try MappedFile(path: debugFile)
    guard ElfHeader.matches(file.bytes) else {
      throw .unknownFormat(
        debugFile, "an ELF file with debugging information",
        "a file that begins with \(file.bytes.hexPrefix(8))")
    }
    let debug = try ElfReader.read(file.bytes, path: debugFile)
    if let wanted = contents.buildID, let found = debug.buildID, wanted != found {
      throw .unsupported(
        debugFile, "debugging information of the image with build id \(wanted)",
        "build id \(found)")
    }
    guard !contents.hasFunctionNames else { return }
    let sections = contents.sections
    let finder = SectionFinder(sections)
    let named = Dictionary(
      sections.map { (NamedSize(name: $0.name, size: $0.size), $0.index) },
      uniquingKeysWith: { first, _ in first })
    contents.symbols = debug.symbols.map { symbol in
      var symbol = symbol
      let home = symbol.section.map { debug.sections[$0] }
      if contents.isRelocatable {
        symbol.section = home.flatMap { named[NamedSize(name: $0.name, size: $0.size)] }
      } else {
        symbol.section = home?.isAllocated == false ? nil : finder.section(of: symbol.address)
      }
      return symbol
    }
    contents.remarks.append("function names come from \(debugFile)")
  }

  private func addNames(
    ofMap map: String, to contents: inout ImageContents
  ) throws(ImageError) {
    let file = try MappedFile(path: map)
    guard !contents.hasFunctionNames else {
      contents.remarks.append("the image has symbols of its own; \(map) is not used")
      return
    }
    contents.symbols = try SystemMap.read(
      file.bytes, path: map, sections: contents.isRelocatable ? [] : contents.sections)
    contents.remarks.append("function names come from \(map)")
  }
}

/// By what a section of a relocatable file is known again in its debug file.
private struct NamedSize: Hashable {
  var name: String
  var size: UInt64
}
