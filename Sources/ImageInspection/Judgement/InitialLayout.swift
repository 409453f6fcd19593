// The virtual memory that a PV kernel finds at its entry: see the topic initial-layout of
// abi/start-of-day.yaml. Checked against what Xen prints when it builds domain 0.

import ABISchema

/// The initial region, part by part.
public struct InitialLayout: Sendable, Equatable {
  public struct Part: Sendable, Equatable {
    public var name: String
    public var start: UInt64
    public var end: UInt64
  }
  public var loader: Loader
  /// Frames that the domain has.
  public var pages: UInt64
  /// By address; the parts that lie elsewhere (a P2M list of the kernel's choice) come last.
  public var parts: [Part]
  public var start: UInt64
  public var end: UInt64
  public var pageTableFrames: UInt64
  public var entry: UInt64
  public var hypercallPage: UInt64?

  public func part(_ name: String) -> Part? { parts.first { $0.name == name } }
}

/// What the layout depends on.
struct LayoutInput {
  var is64: Bool
  var virtBase: UInt64
  var imageStart: UInt64
  var imageEnd: UInt64
  var entry: UInt64
  var hypercallPage: UInt64?
  var initP2M: UInt64?
  var mapsRamdisk: Bool
  /// Sizes of start_info and of what follows it for domain 0, in bytes.
  var startInfoSize: UInt64
  var screenInfoSize: UInt64
}

extension InitialLayout {
  static let page: UInt64 = 4096
  private static let fourMegabytes: UInt64 = 4 << 20
  private static let padding: UInt64 = 512 << 10

  /// `nil` where the region would reach past the end of the address space.
  init?(_ input: LayoutInput, loader: Loader, options: InspectionOptions) {
    var stack = PartStack(position: input.imageEnd)
    let pages = options.memory / Self.page
    stack.parts = [Part(name: "kernel", start: input.imageStart, end: input.imageEnd)]
    if options.ramdisk > 0, input.mapsRamdisk { stack.push("ramdisk", options.ramdisk) }
    let listSize = pages.multipliedReportingOverflow(by: input.is64 ? 8 : 4)
    guard !listSize.overflow else { return nil }
    if input.initP2M == nil { stack.push("p2m", listSize.partialValue) }
    if loader == .xenDomain0 {
      stack.push("start_info", input.startInfoSize + input.screenInfoSize)
    } else {
      for name in ["start_info", "xenstore", "console"] { stack.push(name, Self.page) }
    }
    guard let tables = Self.roundUp(stack.position, Self.page), !stack.isOverflowing else {
      return nil
    }
    guard
      let (frames, end) = Self.pageTables(
        from: input.virtBase, tablesAt: tables, is64: input.is64)
    else { return nil }
    stack.push("page tables", frames * Self.page)
    stack.push("stack", Self.page)
    guard !stack.isOverflowing else { return nil }
    if let list = input.initP2M {
      let (listEnd, overflow) = list.addingReportingOverflow(listSize.partialValue)
      guard !overflow else { return nil }
      stack.parts.append(Part(name: "p2m", start: list, end: listEnd))
    }
    self.loader = loader
    self.pages = pages
    parts = stack.parts
    start = input.virtBase
    self.end = end
    pageTableFrames = frames
    entry = input.entry
    hypercallPage = input.hypercallPage
  }

  /// The least number of page-table frames that maps the region which they themselves lengthen.
  private static func pageTables(
    from start: UInt64, tablesAt tables: UInt64, is64: Bool
  ) -> (frames: UInt64, end: UInt64)? {
    var frames: UInt64 = 2
    // The need grows with the number, and by less than one for each frame: a few turns settle it.
    for _ in 0..<64 {
      guard let end = regionEnd(tables: tables, frames: frames), end > start else { return nil }
      let top: UInt64 = is64 ? 1 : 0
      let need =
        top + spans(start, end, 39) + (is64 ? spans(start, end, 30) : 4) + spans(start, end, 21)
      if need <= frames { return (frames, end) }
      frames = need
    }
    return nil
  }

  /// The next multiple of 4 MB that leaves 512 KB free behind the stack.
  private static func regionEnd(tables: UInt64, frames: UInt64) -> UInt64? {
    let size = frames.multipliedReportingOverflow(by: page)
    let stack = tables.addingReportingOverflow(size.partialValue)
    let free = stack.partialValue.addingReportingOverflow(page + padding)
    guard !size.overflow, !stack.overflow, !free.overflow else { return nil }
    return roundUp(free.partialValue, fourMegabytes)
  }

  /// Units of 2^shift bytes that the range touches.
  private static func spans(_ start: UInt64, _ end: UInt64, _ shift: UInt64) -> UInt64 {
    ((end - 1) >> shift) - (start >> shift) + 1
  }

  static func roundUp(_ value: UInt64, _ unit: UInt64) -> UInt64? {
    let (sum, overflow) = value.addingReportingOverflow(unit - 1)
    return overflow ? nil : sum & ~(unit - 1)
  }
}

/// Puts parts behind each other, each at the start of a page.
private struct PartStack {
  var position: UInt64
  var parts: [InitialLayout.Part] = []
  var isOverflowing = false

  init(position: UInt64) { self.position = position }

  mutating func push(_ name: String, _ size: UInt64) {
    guard !isOverflowing, let start = InitialLayout.roundUp(position, InitialLayout.page) else {
      isOverflowing = true
      return
    }
    let (end, overflow) = start.addingReportingOverflow(size)
    isOverflowing = overflow
    parts.append(InitialLayout.Part(name: name, start: start, end: end))
    position = end
  }
}
