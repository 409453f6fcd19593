// PE32 and PE32+ images, as UEFI firmware loads them (Microsoft's PE format document).

/// Reads a PE image for x86.
enum PortableExecutable {
  /// The most sections that are read; the format's loader allows 96.
  private static let sectionLimit = 1024
  private static let containsCode: UInt32 = 0x20
  private static let isExecutable: UInt32 = 0x2000_0000
  private static let isWritable: UInt32 = 0x8000_0000
  private static let isDiscardable: UInt32 = 0x0200_0000

  /// The file begins with `MZ` and points at `PE`.
  static func matches(_ bytes: ImageBytes) -> Bool {
    guard bytes.load(0, as: UInt16.self) == 0x5a4d, let offset: UInt32 = bytes.load(0x3c) else {
      return false
    }
    return bytes.load(Int(offset), as: UInt32.self) == 0x4550
  }

  static func read(_ bytes: ImageBytes, path: String) throws(ImageError) -> ImageContents {
    guard let start = bytes.load(0x3c, as: UInt32.self).map({ Int($0) + 4 }),
      let machine: UInt16 = bytes.load(start), let count: UInt16 = bytes.load(start + 2),
      let optionalSize: UInt16 = bytes.load(start + 16),
      let magic: UInt16 = bytes.load(start + 20)
    else {
      throw .malformed(path, "a whole PE header", "a file of \(bytes.count) bytes")
    }
    let is64: Bool
    switch (machine, magic) {
    case (0x8664, 0x20b): is64 = true
    case (0x14c, 0x10b): is64 = false
    case (0x8664, _), (0x14c, _):
      throw .malformed(
        path, "a PE optional header 0x20b (x86-64) or 0x10b (i386) that fits the machine",
        "\(hexadecimal(magic)) for machine \(hexadecimal(machine))")
    default:
      throw .unsupported(
        path, "PE machine 0x8664 (x86-64) or 0x14c (i386)", hexadecimal(machine))
    }
    let base =
      is64
      ? bytes.load(start + 44, as: UInt64.self)
      : bytes.load(start + 48, as: UInt32.self).map(UInt64.init)
    guard let base, Int(optionalSize) >= (is64 ? 112 : 96) else {
      throw .malformed(
        path, "a whole PE optional header", "an optional header of \(optionalSize) bytes")
    }
    guard count <= sectionLimit else {
      throw .malformed(path, "at most \(sectionLimit) PE sections", "\(count)")
    }
    var contents = ImageContents(format: .pe, width: is64 ? .bits64 : .bits32)
    var code = 0
    for index in 0..<Int(count) {
      let header = start + 20 + Int(optionalSize) + index * 40
      let section = try Section(bytes, at: header, index: index, path: path)
      try section.append(to: &contents, base: base, file: bytes, path: path)
      if let last = contents.sections.last, last.isExecutable { code += last.bytes.count }
      guard code <= bytes.count else {
        throw .malformed(
          path, "PE code sections that do not overlap in the file",
          "more than \(code) bytes of code in a file of \(bytes.count) bytes")
      }
    }
    addSymbols(to: &contents, file: bytes, header: start)
    return contents
  }

  /// A section header's fields.
  private struct Section {
    var name: String
    var virtualSize: UInt32
    var address: UInt32
    var fileSize: UInt32
    var fileOffset: UInt32
    var flags: UInt32

    init(_ bytes: ImageBytes, at offset: Int, index: Int, path: String) throws(ImageError) {
      guard let header = bytes.slice(UInt64(offset), count: 40),
        let virtualSize: UInt32 = header.load(8), let address: UInt32 = header.load(12),
        let fileSize: UInt32 = header.load(16), let fileOffset: UInt32 = header.load(20),
        let flags: UInt32 = header.load(36)
      else {
        throw .malformed(
          path, "PE section header \(index) inside the file's \(bytes.count) bytes",
          "one at \(hexadecimal(offset))")
      }
      let letters = header.buffer.prefix(8).prefix { $0 != 0 }
      name = String(validating: letters, as: UTF8.self) ?? "section \(index)"
      self.virtualSize = virtualSize
      self.address = address
      self.fileSize = fileSize
      self.fileOffset = fileOffset
      self.flags = flags
    }

    func append(
      to contents: inout ImageContents, base: UInt64, file: ImageBytes, path: String
    ) throws(ImageError) {
      // The file part may be padded beyond the size in memory, and may be missing altogether.
      let memory = virtualSize == 0 ? fileSize : virtualSize
      let stored = fileOffset == 0 ? 0 : min(fileSize, memory)
      guard let content = file.slice(UInt64(fileOffset), count: UInt64(stored)) else {
        throw .malformed(
          path, "PE section \(name) inside the file's \(file.count) bytes",
          "\(stored) bytes at \(hexadecimal(fileOffset))")
      }
      let (start, overflow) = base.addingReportingOverflow(UInt64(address))
      guard !overflow, !start.addingReportingOverflow(UInt64(memory)).overflow else {
        throw .malformed(
          path, "PE section \(name) inside the address space",
          "image base \(hexadecimal(base)) and offset \(hexadecimal(address))")
      }
      contents.append(
        name: name, address: start, size: UInt64(memory),
        isAllocated: flags & isDiscardable == 0
          || flags & (containsCode | PortableExecutable.isExecutable) != 0,
        isExecutable: flags & (containsCode | PortableExecutable.isExecutable) != 0,
        isWritable: flags & PortableExecutable.isWritable != 0, bytes: content)
    }
  }
}
