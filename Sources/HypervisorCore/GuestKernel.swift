// A guest's kernel: an ELF64 image, read and checked. Nothing is copied yet.

/// A loadable segment.
struct KernelSegment {
  /// Where its bytes are in the file.
  var offset: UInt64 = 0
  /// How many.
  var fileSize: UInt64 = 0
  /// How many it has in memory; the rest is zero.
  var memorySize: UInt64 = 0
  /// Its place, counted from VIRT_BASE: a pseudo-physical address.
  var place: UInt64 = 0
}

/// What the loader needs to know of an image.
public struct GuestKernel {
  let bytes: ImageBytes
  private(set) var notes = KernelNotes()
  private(set) var segments = InlineArray<16, KernelSegment>(repeating: KernelSegment())
  private(set) var segmentCount = 0
  /// The first byte's virtual address in the initial region: VIRT_BASE.
  public private(set) var virtualBase: UInt64 = 0
  /// Where the kernel begins to run.
  public private(set) var entry: UInt64
  /// The end of the highest segment, counted from VIRT_BASE.
  private(set) var end: UInt64 = 0

  /// No address of an image may be as far from VIRT_BASE: more than any domain has, and far from
  /// every overflow.
  private static let reach: UInt64 = 1 << 40

  /// Reads and checks an image.
  public init(_ bytes: ImageBytes) throws(ImageError) {
    self.bytes = bytes
    guard bytes.number(0, width: 4) == 0x464c_457f, bytes[4] == 2, bytes[5] == 1,
      bytes.number(18, width: 2) == 62, let entry = bytes.number(24, width: 8),
      let table = bytes.number(32, width: 8), bytes.number(54, width: 2) == 56,
      let count = bytes.number(56, width: 2)
    else { throw .notELF64 }
    guard let headers = bytes.part(table, count * 56) else { throw .truncated }
    self.entry = entry
    try readNotes(headers, count)
    try notes.check()
    virtualBase = notes.virtualBase ?? 0
    if let noted = notes.entry { self.entry = noted }
    for index in 0..<count where headers.number(index * 56, width: 4) == 1 {
      try readSegment(headers, index * 56)
    }
    try checkAddresses()
  }

  /// Notes stand in PT_NOTE segments; if there are none of Xen, in sections of type note; if there
  /// are none either, the section `__xen_guest` has text.
  private mutating func readNotes(_ headers: ImageBytes, _ count: UInt64) throws(ImageError) {
    for index in 0..<count where headers.number(index * 56, width: 4) == 4 {
      guard let offset = headers.number(index * 56 + 8, width: 8),
        let size = headers.number(index * 56 + 32, width: 8), let part = bytes.part(offset, size)
      else { throw .truncated }
      notes.read(part)
    }
    if notes.isAny { return }
    readSectionNotes()
  }

  /// Sections are read with no error where they are broken: an image need not have any.
  private mutating func readSectionNotes() {
    guard let table = bytes.number(40, width: 8), bytes.number(58, width: 2) == 64,
      let count = bytes.number(60, width: 2), let nameIndex = bytes.number(62, width: 2),
      let headers = bytes.part(table, count * 64)
    else { return }
    for index in 0..<count where headers.number(index * 64 + 4, width: 4) == 7 {
      if let part = section(headers, index) { notes.read(part) }
    }
    guard !notes.isAny, nameIndex < count, let names = section(headers, nameIndex) else { return }
    for index in 0..<count {
      guard let name = headers.number(index * 64, width: 4), name < names.count,
        let text = names.part(name, names.count - name), text.isText("__xen_guest"),
        let part = section(headers, index)
      else { continue }
      notes.readText(part)
      return
    }
  }

  private func section(_ headers: ImageBytes, _ index: UInt64) -> ImageBytes? {
    guard let offset = headers.number(index * 64 + 24, width: 8),
      let size = headers.number(index * 64 + 32, width: 8)
    else { return nil }
    return bytes.part(offset, size)
  }

  private mutating func readSegment(
    _ headers: ImageBytes, _ start: UInt64
  ) throws(ImageError) {
    guard segmentCount < segments.count else { throw .tooManySegments }
    guard let offset = headers.number(start + 8, width: 8),
      let address = headers.number(start + 24, width: 8),
      let fileSize = headers.number(start + 32, width: 8),
      let memorySize = headers.number(start + 40, width: 8), bytes.contains(offset, fileSize)
    else { throw .truncated }
    guard memorySize > 0 else { return }
    // Old images hold virtual addresses here, so the difference may wrap; what counts is the place.
    let place = address &- notes.offset
    guard fileSize <= memorySize, memorySize < Self.reach, place < Self.reach else {
      throw .badAddresses
    }
    segments[segmentCount] = KernelSegment(
      offset: offset, fileSize: fileSize, memorySize: memorySize, place: place)
    segmentCount += 1
    end = max(end, place + memorySize)
  }

  private func checkAddresses() throws(ImageError) {
    guard segmentCount > 0, virtualBase & 0xfff == 0 else { throw .badAddresses }
    var start = UInt64.max
    for index in 0..<segmentCount { start = min(start, segments[index].place) }
    let (first, firstOverflow) = virtualBase.addingReportingOverflow(start)
    let (last, lastOverflow) = virtualBase.addingReportingOverflow(end)
    guard !firstOverflow, !lastOverflow, entry >= first, entry <= last else {
      throw .badAddresses
    }
    guard let list = notes.listAddress else { return }
    guard list & 0xfff == 0, list < first || list >= last,
      GuestVirtualAddress(list).isGuestRange(byteCount: 1)
    else { throw .badListAddress }
  }
}
