// Code that is not there for the whole life of the kernel: initialization and exit sections.

import KernelImage

/// Which addresses belong to sections that come and go.
struct SectionLifetimes: Sendable {
  private let marks: [FindingContext?]
  private let data: [Bool]
  /// Initialization code that a linker script folded into a larger section, between its symbols.
  private let initRange: (section: Int, range: Range<UInt64>)?

  /// Sections go by their names: `.init.text` and `.exit.text`, in a kernel and in a module alike.
  ///
  /// `.head.text` is startup code that stays, so it is neither.
  init(image: KernelImage, symbols: MarkerSymbols) {
    marks = image.sections.map { section in
      if section.name == ".init" || section.name.hasPrefix(".init.") { return .initCode }
      if section.name == ".exit" || section.name.hasPrefix(".exit.") { return .exitCode }
      return nil
    }
    data = image.sections.map { !$0.isExecutable }
    if let start = symbols["_sinittext"], let end = symbols["_einittext"],
      start.address < end.address
    {
      initRange = (start.section, start.address..<end.address)
    } else {
      initRange = nil
    }
  }

  func append(to contexts: inout [FindingContext], section: Int, address: UInt64) {
    guard marks.indices.contains(section) else { return }
    if let mark = marks[section] {
      contexts.append(mark)
    } else if let initRange, initRange.section == section, initRange.range.contains(address) {
      contexts.append(.initCode)
    }
    if data[section] { contexts.append(.data) }
  }
}
