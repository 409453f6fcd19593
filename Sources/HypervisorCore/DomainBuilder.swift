// Starts a domain: memory, image, ramdisk, P2M list, start_info, hypercall page, page tables. What
// comes out is what a guest of Xen finds: abi/start-of-day.yaml.

import X86

/// What a domain is started with.
public struct StartRequest {
  /// The kernel's image.
  public var kernel: ImageBytes
  /// The ramdisk's bytes.
  public var ramdisk: ImageBytes?
  /// The command line, which is cut after 1023 bytes.
  public var commandLine: ImageBytes?
  /// Frames of memory.
  public var pageCount: UInt64
  /// Domain 0 has no pages for xenstore and console.
  public var isInitial: Bool
  /// Port for xenstore.
  public var storePort = EventPort(0)
  /// Port for the console.
  public var consolePort = EventPort(0)

  /// A kernel with so much memory.
  public init(kernel: ImageBytes, pageCount: UInt64, isInitial: Bool) {
    self.kernel = kernel
    self.pageCount = pageCount
    self.isInitial = isInitial
  }
}

/// How the first vcpu of a built domain starts.
public struct StartState: Hashable, Sendable {
  /// Instruction pointer.
  public var entry: GuestVirtualAddress
  /// Stack pointer: the end of the bootstrap stack.
  public var stack: GuestVirtualAddress
  /// For `%rsi`.
  public var startInfo: GuestVirtualAddress
  /// The page for xenstore.
  public var storePage: MachineFrame?
  /// The page for the console.
  public var consolePage: MachineFrame?
}

extension Hypervisor {
  /// Builds a domain that has no frames yet, pins its page tables and gives them to its first vcpu.
  ///
  /// Not interrupted. After an error the domain holds what it got by then: it is to die.
  public func build(
    _ request: StartRequest, in domain: DomainPointer
  ) throws(ImageError) -> StartState {
    let kernel = try GuestKernel(request.kernel)
    domain.pointee.is32Bit = kernel.is32Bit
    if kernel.is32Bit {
      domain.pointee.reservedStart = kernel.reservedStart
      guard makeMonitorTables(of: domain) else { throw .tooLittleMemory }
    }
    let layout = try StartLayout(
      kernel, pageCount: request.pageCount, ramdiskSize: request.ramdisk?.count ?? 0,
      isInitial: request.isInitial)
    let memory = try allocateMemory(layout, pageCount: request.pageCount, for: domain)
    for index in 0..<kernel.segmentCount {
      let segment = kernel.segments[index]
      // Frames are cleared, so what the file does not fill is zero.
      if let bytes = kernel.bytes.part(segment.offset, segment.fileSize) {
        copy(bytes, to: segment.place, memory)
      }
    }
    if let ramdisk = request.ramdisk { copy(ramdisk, to: layout.ramdisk.first << 12, memory) }
    if let address = kernel.notes.hypercallPage {
      let page = (address - layout.virtualBase) >> 12
      writeHypercallPage(to: frame(ofPage: page, memory), of: domain)
    }
    guard let shared = allocateShared(for: domain) else { throw .tooLittleMemory }
    domain.pointee.sharedInfo = shared
    writeStartInfo(request, layout, memory, kernel.notes, shared: shared, domain)
    writeTables(layout, memory)
    let top = frame(ofPage: layout.tables.first, memory)
    try adoptTables(top, in: domain)
    domain.pointee.highestFrame = request.pageCount - 1
    let state = StartState(
      entry: GuestVirtualAddress(kernel.entry),
      stack: GuestVirtualAddress(layout.address(ofPage: layout.stack + 1)),
      startInfo: GuestVirtualAddress(layout.address(ofPage: layout.startInfo)),
      storePage: layout.storePage.map { frame(ofPage: $0, memory) },
      consolePage: layout.consolePage.map { frame(ofPage: $0, memory) })
    returnIndexes(of: memory, domain)
    return state
  }

  /// Validates and pins the tables as a guest's own would be.
  private func adoptTables(_ top: MachineFrame, in domain: DomainPointer) throws(ImageError) {
    // Domain 0 may have it built while others run, who have work for this processor.
    state.pointee.isUninterrupted = true
    defer { state.pointee.isUninterrupted = false }
    do throws(MemoryError) {
      try pin(top, level: domain.pointee.topLevel, of: domain)
      try take(top, as: domain.pointee.topType, ownedBy: domain)
    } catch {
      throw .tablesRefused
    }
    domain.pointee.vcpus[0].pointee.kernelTable = top
    domain.pointee.vcpus[0].pointee.isInitialised = true
    domain.pointee.vcpus[0].pointee.isUp = true
    completeKernelTable(top, of: domain.pointee.vcpus[0])
  }

  /// Maps the region one to one, and the list where the image wants it.
  ///
  /// Tables come in the order in which they are needed; they themselves are mapped read-only.
  private func writeTables(_ layout: StartLayout, _ memory: DomainMemory) {
    var next = layout.tables.first + 1
    if memory.is32Bit {
      let top = machine.words(of: frame(ofPage: layout.tables.first, memory))
      for index in 0..<CompatTable.topCount {
        top[index] =
          PageTableEntry(frameNumber: frame(ofPage: next, memory).number, flags: .present).rawValue
        next += 1
      }
    }
    for page in 0..<layout.mappedCount {
      let isTable = page >= layout.tables.first && page < layout.tables.end
      map(
        page, at: GuestVirtualAddress(layout.address(ofPage: page)), isWritable: !isTable,
        layout, memory, next: &next)
    }
    guard let address = layout.listAddress else { return }
    next = layout.listTables.first
    for page in 0..<layout.list.count {
      map(
        layout.list.first + page, at: GuestVirtualAddress(address + page << 12),
        isWritable: true, layout, memory, next: &next)
    }
  }

  private func map(
    _ page: UInt64, at address: GuestVirtualAddress, isWritable: Bool, _ layout: StartLayout,
    _ memory: DomainMemory, next: inout UInt64
  ) {
    let flags: EntryFlags = [.present, .writable, .user, .accessed]
    var table = machine.words(of: frame(ofPage: layout.tables.first, memory))
    var level = memory.is32Bit ? 3 : 4
    while level > 1 {
      let index = address.index(level: level)
      if table[index] == 0 {
        let frame = frame(ofPage: next, memory)
        table[index] = PageTableEntry(frameNumber: frame.number, flags: flags).rawValue
        next += 1
      }
      table = machine.words(
        of: MachineFrame(PageTableEntry(rawValue: table[index]).frameNumber))
      level -= 1
    }
    var leaf: EntryFlags =
      isWritable ? [.present, .writable, .user, .accessed, .dirty] : [.present, .user, .accessed]
    // A 32-bit kernel has a ring of its own.
    if memory.is32Bit { leaf.remove(.user) }
    table[address.index(level: 1)] =
      PageTableEntry(frameNumber: frame(ofPage: page, memory).number, flags: leaf).rawValue
  }
}
