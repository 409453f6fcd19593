// The entry for fuzzing the DWARF readers: bytes in, nothing out, and no bytes may trap, hang or
// take more memory than a small multiple of their number.

/// Reads `bytes` as an ELF file with debugging information and looks up addresses all over it.
///
/// The bytes are copied first, so that an address sanitizer sees reads past their end.
public func fuzzDwarf(_ bytes: UnsafeRawBufferPointer) {
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
  defer { copy.deallocate() }
  copy.copyMemory(from: bytes)
  let image = ImageBytes(owner: nil, buffer: UnsafeRawBufferPointer(copy))
  do throws(ImageError) {
    let elf = try DwarfElf(image, path: "fuzz")
    _ = elf.buildID()
    _ = try elf.debugLink()
    let file = try DwarfFile(elf)
    let locator = try SourceLocator(file)
    let probes = try locator.fuzzProbes()
    _ = try locator.locateDetailed(probes, jobs: 1)
  } catch {
    // A message for the user: what bad input should come to.
  }
}

extension SourceLocator {
  /// Addresses inside and around the units of the file.
  func fuzzProbes() throws(ImageError) -> [UInt64] {
    guard hasDebugInfo else { return [] }
    let beginnings = try unitBeginnings().prefix(64)
    let distances: [UInt64] = [0, 1, 7, 16, 33, 48, 100, 1000]
    return beginnings.flatMap { start in distances.map { start &+ $0 } } + [0, .max]
  }
}
