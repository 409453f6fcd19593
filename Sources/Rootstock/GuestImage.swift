// A guest's kernel as its boot module has it: an ELF64 image with Xen's notes
// (abi/elf-notes.yaml). Every number in it is the guest's and is checked before use.

import CXenABI
import HypervisorCore

/// The bytes of a boot module.
struct ModuleBytes {
  let start: MachineAddress
  let count: UInt64

  init(_ module: MemoryRange) {
    start = MachineAddress(module.start)
    count = module.end - module.start
  }

  /// Whether `length` bytes from `offset` on are in the module.
  func contains(_ offset: UInt64, _ length: UInt64) -> Bool {
    let (end, overflow) = offset.addingReportingOverflow(length)
    return !overflow && end <= count
  }

  /// The value at `offset`, or `nil` where the module ends before it does.
  func read<T: BitwiseCopyable>(_ type: T.Type, _ offset: UInt64) -> T? {
    guard contains(offset, UInt64(MemoryLayout<T>.size)) else { return nil }
    return DirectMap.load(type, at: MachineAddress(start.value + offset))
  }
}

/// Why an image is not built.
enum ImageError: Error {
  case notELF64
  case tooManySegments
  case truncated
  case noNotes
  case wrongLoader
  case wrongVersion
  case badAddresses
  case hypercallPageOutside
  case tooLittleMemory

  var text: StaticString {
    switch self {
    case .notELF64: "it is no ELF64 executable for x86-64"
    case .tooManySegments: "it has more than 16 loadable segments"
    case .truncated: "a header or segment reaches past the end of the file"
    case .noNotes: "it has no note with owner Xen"
    case .wrongLoader: "the note LOADER is not \"generic\" and GUEST_OS does not begin with linux"
    case .wrongVersion: "the note XEN_VERSION does not begin with xen-3.0"
    case .badAddresses: "its segments, entry and VIRT_BASE do not fit together"
    case .hypercallPageOutside: "the note HYPERCALL_PAGE points outside the initial region"
    case .tooLittleMemory: "the domain has too little memory for its initial region"
    }
  }
}

/// A loadable segment, its place as pseudo-physical address.
struct ImageSegment: BitwiseCopyable {
  var offset: UInt64 = 0
  var fileSize: UInt64 = 0
  var memorySize: UInt64 = 0
  var address: UInt64 = 0
}

/// What the loader needs to know of an image.
struct GuestImage {
  let bytes: ModuleBytes
  private(set) var segments = InlineArray<16, ImageSegment>(repeating: ImageSegment())
  private(set) var segmentCount = 0
  private(set) var entry: UInt64 = 0
  private(set) var notes = ImageNotes()
  /// The end of the highest segment, as pseudo-physical address.
  private(set) var end: UInt64 = 0

  init(_ module: MemoryRange) throws(ImageError) {
    bytes = ModuleBytes(module)
    guard bytes.read(UInt32.self, 0) == 0x464c_457f, bytes.read(UInt8.self, 4) == 2,
      bytes.read(UInt16.self, 18) == 62, let entry = bytes.read(UInt64.self, 24),
      let table = bytes.read(UInt64.self, 32), let size = bytes.read(UInt16.self, 54), size == 56,
      let count = bytes.read(UInt16.self, 56), count < 128
    else { throw .notELF64 }
    guard bytes.contains(table, UInt64(count) * 56) else { throw .truncated }
    self.entry = entry
    for index in 0..<UInt64(count) where bytes.read(UInt32.self, table + index * 56) == 4 {
      try readNotes(header: table + index * 56)
    }
    try notes.check()
    if let noted = notes.entry { self.entry = noted }
    for index in 0..<UInt64(count) where bytes.read(UInt32.self, table + index * 56) == 1 {
      try readSegment(header: table + index * 56)
    }
    try checkAddresses()
  }

  private mutating func readNotes(header: UInt64) throws(ImageError) {
    guard let offset = bytes.read(UInt64.self, header + 8),
      let size = bytes.read(UInt64.self, header + 32), bytes.contains(offset, size)
    else { throw .truncated }
    notes.read(bytes, from: offset, to: offset + size)
  }

  private mutating func readSegment(header: UInt64) throws(ImageError) {
    guard segmentCount < segments.count else { throw .tooManySegments }
    guard let offset = bytes.read(UInt64.self, header + 8),
      let address = bytes.read(UInt64.self, header + 24),
      let fileSize = bytes.read(UInt64.self, header + 32),
      let memorySize = bytes.read(UInt64.self, header + 40), bytes.contains(offset, fileSize)
    else { throw .truncated }
    guard memorySize > 0 else { return }
    let (place, underflow) = address.subtractingReportingOverflow(notes.addressOffset)
    // 2 to the 40: more than any domain has, and far from every overflow below.
    guard !underflow, fileSize <= memorySize, memorySize < 1 << 40, place < 1 << 40 else {
      throw .badAddresses
    }
    segments[segmentCount] = ImageSegment(
      offset: offset, fileSize: fileSize, memorySize: memorySize, address: place)
    segmentCount += 1
    end = max(end, place + memorySize)
  }

  /// The image lies from VIRT_BASE on, and its entry in it.
  private func checkAddresses() throws(ImageError) {
    guard segmentCount > 0, notes.virtualBase & 0xfff == 0 else { throw .badAddresses }
    var start = UInt64.max
    for index in 0..<segmentCount { start = min(start, segments[index].address) }
    let (first, firstOverflow) = notes.virtualBase.addingReportingOverflow(start)
    let (last, lastOverflow) = notes.virtualBase.addingReportingOverflow(end)
    guard !firstOverflow, !lastOverflow, entry >= first, entry <= last else {
      throw .badAddresses
    }
  }
}
