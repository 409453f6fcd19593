// A guest's kernel: an ELF image, read and checked. Nothing is copied yet.

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

/// Where an ELF file of a class has what the loader reads: ELF specification, "File Format".
struct ELFForm {
  /// Bytes of an address or offset.
  let width: UInt64
  /// The field with the offset of the program headers.
  var programs: UInt64 { width == 8 ? 32 : 28 }
  /// The field with a program header's size; their number follows, and the same for sections.
  var programSize: UInt64 { width == 8 ? 54 : 42 }
  /// Sizes of headers.
  var programHeader: UInt64 { width == 8 ? 56 : 32 }
  var sectionHeader: UInt64 { width == 8 ? 64 : 40 }
  /// Fields of a program header; the physical address stands before the size in the file, that in
  /// memory behind it.
  var programOffset: UInt64 { width == 8 ? 8 : 4 }
  var programFileSize: UInt64 { width == 8 ? 32 : 16 }
  /// The field of a section header with its offset, which its size follows.
  var sectionOffset: UInt64 { width == 8 ? 24 : 16 }

  /// Little-endian, for x86-64 or for i386.
  init?(_ bytes: ImageBytes) {
    switch (bytes[4], bytes[5], bytes.number(18, width: 2)) {
    case (2, 1, 62): width = 8
    case (1, 1, 3): width = 4
    default: return nil
    }
  }
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

  /// The file's class.
  private let form: ELFForm
  /// It is 32-bit code.
  public var is32Bit: Bool { form.width == 4 }
  /// From where on a 32-bit kernel leaves its address space to the hypervisor: the note HV_START_LOW,
  /// at the next entry of a table of level 2, or what goes with text in place of notes.
  ///
  /// The hypervisor needs no more than what lies under the last entry of a top table, whatever the note
  /// would leave it.
  var reservedStart: UInt64 {
    guard let start = notes.reservedStart else { return Domain.defaultReservedStart }
    return max((start & 0xffff_ffff + 0x1f_ffff) & ~0x1f_ffff, Domain.lowestReservedStart)
  }

  /// No address of an image may be as far from VIRT_BASE: more than any domain has, and far from
  /// every overflow.
  private static let reach: UInt64 = 1 << 40

  /// Reads and checks an image.
  public init(_ bytes: ImageBytes) throws(ImageError) {
    self.bytes = bytes
    guard bytes.number(0, width: 4) == 0x464c_457f, let form = ELFForm(bytes),
      let entry = bytes.number(24, width: form.width),
      let table = bytes.number(form.programs, width: form.width),
      bytes.number(form.programSize, width: 2) == form.programHeader,
      let count = bytes.number(form.programSize + 2, width: 2)
    else { throw .notELF64 }
    self.form = form
    guard let headers = bytes.part(table, count * form.programHeader) else { throw .truncated }
    self.entry = entry
    try readNotes(headers, count)
    try notes.check()
    guard !is32Bit || notes.isPAE else { throw .notPAE }
    virtualBase = notes.virtualBase ?? 0
    if let noted = notes.entry { self.entry = noted }
    for index in 0..<count where headers.number(index * form.programHeader, width: 4) == 1 {
      try readSegment(headers, index * form.programHeader)
    }
    try checkAddresses()
  }

  /// Notes stand in PT_NOTE segments; if there are none of Xen, in sections of type note; if there
  /// are none either, the section `__xen_guest` has text.
  private mutating func readNotes(_ headers: ImageBytes, _ count: UInt64) throws(ImageError) {
    for index in 0..<count where headers.number(index * form.programHeader, width: 4) == 4 {
      let start = index * form.programHeader
      guard let offset = headers.number(start + form.programOffset, width: form.width),
        let size = headers.number(start + form.programFileSize, width: form.width),
        let part = bytes.part(offset, size)
      else { throw .truncated }
      notes.read(part)
    }
    if notes.isAny { return }
    readSectionNotes()
  }

  /// Sections are read with no error where they are broken: an image need not have any.
  private mutating func readSectionNotes() {
    let size = form.sectionHeader
    guard let table = bytes.number(form.programs + form.width, width: form.width),
      bytes.number(form.programSize + 4, width: 2) == size,
      let count = bytes.number(form.programSize + 6, width: 2),
      let nameIndex = bytes.number(form.programSize + 8, width: 2),
      let headers = bytes.part(table, count * size)
    else { return }
    for index in 0..<count where headers.number(index * size + 4, width: 4) == 7 {
      if let part = section(headers, index) { notes.read(part) }
    }
    guard !notes.isAny, nameIndex < count, let names = section(headers, nameIndex) else { return }
    for index in 0..<count {
      guard let name = headers.number(index * size, width: 4), name < names.count,
        let text = names.part(name, names.count - name), text.isText("__xen_guest"),
        let part = section(headers, index)
      else { continue }
      notes.readText(part)
      return
    }
  }

  private func section(_ headers: ImageBytes, _ index: UInt64) -> ImageBytes? {
    let start = index * form.sectionHeader
    guard let offset = headers.number(start + form.sectionOffset, width: form.width),
      let size = headers.number(start + form.sectionOffset + form.width, width: form.width)
    else { return nil }
    return bytes.part(offset, size)
  }

  private mutating func readSegment(
    _ headers: ImageBytes, _ start: UInt64
  ) throws(ImageError) {
    guard segmentCount < segments.count else { throw .tooManySegments }
    guard let offset = headers.number(start + form.programOffset, width: form.width),
      let address = headers.number(start + form.programFileSize - form.width, width: form.width),
      let fileSize = headers.number(start + form.programFileSize, width: form.width),
      let memorySize = headers.number(start + form.programFileSize + form.width, width: form.width),
      bytes.contains(offset, fileSize)
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
    guard !is32Bit || last <= reservedStart && Domain.isReservedStart(reservedStart) else {
      throw .badAddresses
    }
    guard !is32Bit, let list = notes.listAddress else { return }
    guard list & 0xfff == 0, list < first || list >= last,
      GuestVirtualAddress(list).isGuestRange(byteCount: 1)
    else { throw .badListAddress }
  }
}
