// Builds a domain out of a saved one: frames for its pages, frame numbers in place of page numbers in
// tables, lists and contexts, and everything validated as if the guest had just written it.

import CRootstock
import CXenABI
import X86

/// Where the pages of a domain that is being restored have got to: numbers of frames in frames of the
/// hypervisor's own, which are given back.
private struct RestoreMap {
  /// Frames whose words are frames whose words are the pages' frames.
  var indexes = InlineArray<16, MachineFrame>(repeating: MachineFrame(0))
  /// Above every page's number.
  let end: UInt64

  var indexCount: Int { Int(end + (1 << 18 - 1)) >> 18 }
  var listCount: Int { Int(end + 511) >> 9 }
}

extension Hypervisor {
  /// Builds a domain that has no frames yet, to be served by domain 0, and hands the state of each vcpu
  /// that has one to the machine.
  ///
  /// Not interrupted. After an error the domain holds what it got by then: it is to die.
  public func restore(
    _ image: SavedImage, in domain: DomainPointer, _ start: (Int, VCPUStart) -> Void
  ) throws(ImageError) {
    let header = image.header
    guard domain.pointee.vcpuCount == Int(header.vcpu_count) else { throw .badSavedDomain }
    guard domain.pointee.pageCount == 0, header.page_limit <= domain.pointee.pageLimit else {
      throw .tooLittleMemory
    }
    domain.pointee.is32Bit = image.is32Bit
    if image.is32Bit {
      domain.pointee.reservedStart = UInt64(header.reserved_start)
      guard makeMonitorTables(of: domain) else { throw .tooLittleMemory }
    }
    var map = RestoreMap(end: header.page_end)
    defer { free(map) }
    try makeRoom(&map)
    var next: UInt64 = 0
    for index in 0..<header.page_count {
      let entry = SavedEntry(rawValue: image.entry(index))
      try place(entry, entry.isZero ? nil : image.contents(next), in: domain, map)
      if !entry.isZero { next += 1 }
    }
    for index in 0..<header.page_count {
      try translate(SavedEntry(rawValue: image.entry(index)), in: domain, map)
    }
    domain.pointee.highestFrame = header.page_end - 1
    try wire(header, domain, map)
    // Others run already, and have work for this processor.
    state.pointee.isUninterrupted = true
    defer { state.pointee.isUninterrupted = false }
    for index in 0..<header.page_count {
      let entry = SavedEntry(rawValue: image.entry(index))
      guard entry.isPinned, let frame = frame(of: entry.page, map) else { continue }
      do throws(MemoryError) { try pin(frame, level: entry.level, of: domain) } catch {
        throw .tablesRefused
      }
    }
    for number in 0..<domain.pointee.vcpuCount {
      try restore(domain.pointee.vcpus[number], image.vcpu(number), domain, map) {
        start(number, $0)
      }
    }
  }

  private func restore(
    _ vcpu: UnsafeMutablePointer<VCPU>, _ saved: SavedVCPU, _ domain: DomainPointer,
    _ map: RestoreMap, _ start: (VCPUStart) -> Void
  ) throws(ImageError) {
    guard saved.isInitialised else { return }
    do throws(MemoryError) {
      start(
        try initialise(vcpu, from: .image(saved), of: domain) { frame(of: $0, map) })
    } catch {
      throw .tablesRefused
    }
    vcpu.pointee.isUp = saved.isUp
  }

  /// Takes the frames of the map.
  private func makeRoom(_ map: inout RestoreMap) throws(ImageError) {
    for index in 0..<map.indexCount {
      guard let frame = allocateOwn() else { throw .tooLittleMemory }
      map.indexes[index] = frame
    }
    for list in 0..<map.listCount {
      guard let frame = allocateOwn() else { throw .tooLittleMemory }
      machine.words(of: map.indexes[list >> 9])[list & 511] = frame.number
    }
  }

  private func free(_ map: RestoreMap) {
    for index in 0..<map.indexCount where map.indexes[index].number != 0 {
      let words = machine.words(of: map.indexes[index])
      for list in 0..<512 where words[list] != 0 { freeOwn(MachineFrame(words[list])) }
      freeOwn(map.indexes[index])
    }
  }

  /// The word of a page in the map; nil for a number out of range.
  private func word(
    of page: UInt64, _ map: RestoreMap
  ) -> UnsafeMutablePointer<UInt64>? {
    guard page < map.end else { return nil }
    let list = machine.words(of: map.indexes[Int(page >> 18)])[Int(page >> 9 & 511)]
    return machine.words(of: MachineFrame(list)) + Int(page & 511)
  }

  /// The frame of a page; nil where the domain has no such page.
  private func frame(of page: UInt64, _ map: RestoreMap) -> MachineFrame? {
    guard let number = word(of: page, map)?.pointee, number != 0 else { return nil }
    return MachineFrame(number)
  }

  /// Gives the domain a frame for a page, with the page's contents.
  ///
  /// A bad file would name a page twice, or one beyond the end, or have fewer contents than it says.
  private func place(
    _ entry: SavedEntry, _ contents: UnsafeRawPointer?, in domain: DomainPointer, _ map: RestoreMap
  ) throws(ImageError) {
    guard entry.isValid, entry.isZero || contents != nil, let word = word(of: entry.page, map),
      word.pointee == 0
    else {
      throw .badSavedDomain
    }
    guard let frame = allocate(for: domain) else { throw .tooLittleMemory }
    word.pointee = frame.number
    physicalFrames[frame] = PseudoPhysicalFrame(entry.page)
    // Frames come clear.
    guard let contents else { return }
    // SAFETY: a page of the module, whose size was checked, to a frame of the same size.
    UnsafeMutableRawPointer(machine.words(of: frame)).copyMemory(
      from: contents, byteCount: Int(XEN_PAGE_SIZE))
  }

  /// Puts frames in place of pages in a table, or in a page of the guest's list.
  private func translate(
    _ entry: SavedEntry, in domain: DomainPointer, _ map: RestoreMap
  ) throws(ImageError) {
    guard entry.level > 0 || entry.isList, let frame = frame(of: entry.page, map) else { return }
    let words = machine.words(of: frame)
    if entry.isList {
      if domain.pointee.is32Bit {
        words.withMemoryRebound(to: UInt32.self, capacity: 1024) {
          translate(list: $0, count: 1024, map)
        }
      } else {
        translate(list: words, count: 512, map)
      }
      return
    }
    for index in 0..<512 {
      let old = PageTableEntry(rawValue: words[index])
      guard old.isPresent else { continue }
      guard let target = self.frame(of: old.frameNumber, map) else { throw .tablesRefused }
      words[index] = PageTableEntry(frameNumber: target.number, flags: old.flags).rawValue
    }
  }

  /// Puts frames in place of pages in words of the guest's list.
  ///
  /// What is no number of a page has a meaning for the guest alone.
  private func translate<Word: FixedWidthInteger>(
    list words: UnsafeMutablePointer<Word>, count: Int, _ map: RestoreMap
  ) {
    for index in 0..<count where words[index] < map.end {
      words[index] =
        frame(of: UInt64(words[index]), map).map { Word(truncatingIfNeeded: $0.number) } ?? ~0
    }
  }

  /// The page shared with the hypervisor, the ways to domain 0, and start_info, as a restored domain
  /// finds them.
  private func wire(
    _ header: rootstock_saved, _ domain: DomainPointer, _ map: RestoreMap
  ) throws(ImageError) {
    guard let shared = allocateShared(for: domain) else { throw .tooLittleMemory }
    domain.pointee.sharedInfo = shared
    maskEvents(in: shared, of: domain)
    guard let start = frame(of: header.start_info, map) else { throw .badSavedDomain }
    domain.pointee.wiring.storePage = frame(of: header.store, map)
    domain.pointee.wiring.consolePage = frame(of: header.console, map)
    do throws(HypercallError) { try rewire(domain) } catch { throw .tooLittleMemory }
    describe(domain, shared, in: machine.words(of: start))
  }
}
