// A new domain's memory while it is built: all frames, and the P2M list that tells where each is.

/// The way from a page of a domain under construction to its frame.
///
/// Frames come from anywhere, and there is no heap to keep their numbers in. They stand in the
/// domain's own P2M list; the frames of the list stand in up to 16 frames that are borrowed meanwhile.
struct DomainMemory {
  /// Frames whose words are the frames of the P2M list.
  private(set) var indexes = InlineArray<16, MachineFrame>(repeating: MachineFrame(0))
  private(set) var indexCount = 0
  /// Entries of the P2M list have 32 bits.
  let is32Bit: Bool

  /// Binary logarithm of a frame's entries of the list.
  var listShift: UInt64 { is32Bit ? 10 : 9 }

  init(is32Bit: Bool) { self.is32Bit = is32Bit }

  /// The most pages that fit: 16 GiB.
  static var capacity: UInt64 { 16 << 18 }

  mutating func addIndex(_ frame: MachineFrame) {
    indexes[indexCount] = frame
    indexCount += 1
  }
}

extension Hypervisor {
  /// Allocates all frames of a domain and fills in its P2M list, and the M2P table.
  func allocateMemory(
    _ layout: StartLayout, pageCount: UInt64, for domain: DomainPointer
  ) throws(ImageError) -> DomainMemory {
    let indexCount = (layout.list.count + 511) / 512
    guard pageCount <= DomainMemory.capacity, domain.pointee.pageCount == 0,
      pageCount <= domain.pointee.pageLimit,
      pageCount + indexCount <= state.pointee.freeCount
    else { throw .tooLittleMemory }
    var memory = DomainMemory(is32Bit: domain.pointee.is32Bit)
    for _ in 0..<indexCount { memory.addIndex(try allocateOrFail(for: domain)) }
    for page in 0..<layout.list.count {
      let index = memory.indexes[Int(truncatingIfNeeded: page >> 9)]
      machine.words(of: index)[Int(truncatingIfNeeded: page & 511)] =
        try allocateOrFail(for: domain).number
    }
    for page in 0..<pageCount {
      let isList = page >= layout.list.first && page < layout.list.end
      let frame =
        isList
        ? listFrame(page - layout.list.first, memory) : try allocateOrFail(for: domain)
      let list = machine.words(of: listFrame(page >> memory.listShift, memory))
      if memory.is32Bit {
        // SAFETY: 1024 entries of 32 bits are a frame.
        UnsafeMutableRawPointer(list).storeBytes(
          of: UInt32(truncatingIfNeeded: frame.number),
          toByteOffset: Int(truncatingIfNeeded: page & 1023) * 4, as: UInt32.self)
      } else {
        list[Int(truncatingIfNeeded: page & 511)] = frame.number
      }
      physicalFrames[frame] = PseudoPhysicalFrame(page)
    }
    return memory
  }

  private func allocateOrFail(for domain: DomainPointer) throws(ImageError) -> MachineFrame {
    guard let frame = allocate(for: domain) else { throw .tooLittleMemory }
    return frame
  }

  private func listFrame(_ page: UInt64, _ memory: DomainMemory) -> MachineFrame {
    let index = memory.indexes[Int(truncatingIfNeeded: page >> 9)]
    return MachineFrame(machine.words(of: index)[Int(truncatingIfNeeded: page & 511)])
  }

  /// The frame of a page below the domain's page count.
  func frame(ofPage page: UInt64, _ memory: DomainMemory) -> MachineFrame {
    let list = machine.words(of: listFrame(page >> memory.listShift, memory))
    if memory.is32Bit {
      // SAFETY: as above.
      return MachineFrame(
        UInt64(
          UnsafeRawPointer(list).load(
            fromByteOffset: Int(truncatingIfNeeded: page & 1023) * 4, as: UInt32.self)))
    }
    return MachineFrame(list[Int(truncatingIfNeeded: page & 511)])
  }

  /// Gives the borrowed frames back.
  func returnIndexes(of memory: DomainMemory, _ domain: DomainPointer) {
    for index in 0..<memory.indexCount { _ = giveUp(memory.indexes[index], of: domain) }
  }

  /// Copies bytes to a pseudo-physical address, page by page.
  func copy(_ bytes: ImageBytes, to place: UInt64, _ memory: DomainMemory) {
    var done: UInt64 = 0
    while done < bytes.count {
      let target = place + done
      let piece = min(bytes.count - done, 4096 - target & 0xfff)
      let words = machine.words(of: frame(ofPage: target >> 12, memory))
      // SAFETY: `piece` ends at the frame's end or before, and in the bytes.
      (UnsafeMutableRawPointer(words) + Int(truncatingIfNeeded: target & 0xfff)).copyMemory(
        from: bytes.base + Int(truncatingIfNeeded: done),
        byteCount: Int(truncatingIfNeeded: piece))
      done += piece
    }
  }
}
