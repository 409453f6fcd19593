// From a crash in numbers to one with names: the place, and the callers.

extension CrashReport {
  /// A report of `raw`, with names where `symbols` has them.
  init(_ raw: RawCrash, symbols: GuestSymbols?) {
    reason = raw.reason
    registers = raw.registers
    let rip = raw.register("rip")
    let callers = symbols.map { raw.returnAddresses(isCode: $0.isCode) } ?? []
    // A return address belongs to the call before it.
    let asked = [rip].compactMap(\.self) + callers.map { $0 &- 1 }
    var found = asked.map(CodePlace.init(address:))
    if let symbols { found = symbols.locate(found) }
    place = rip == nil ? nil : found.removeFirst()
    backtrace = zip(found, callers).map { place, caller in
      var place = place
      place.address = caller
      place.offset = place.offset.map { $0 + 1 }
      return place
    }
  }
}

extension VCPUPlace {
  /// The place of a vcpu with names; `nil` where the hypervisor told no address.
  ///
  /// One that sleeps is behind a hypercall, whose caller stands on top of the stack, or below the two
  /// registers that the stubs of the hypercall page save.
  init?(_ found: RawWhereabouts, symbols: GuestSymbols?) {
    guard let rip = found.raw.register("rip") else { return nil }
    var callers: [UInt64] = []
    if let symbols {
      callers = found.raw.returnAddresses(isCode: symbols.isCode)
      let top = found.raw.stack.prefix(found.state == "blocked" ? 3 : 1).first(
        where: symbols.isCode)
      if let top, callers.first != top { callers.insert(top, at: 0) }
    }
    let asked = ([rip] + callers.map { $0 &- 1 }).map(CodePlace.init(address:))
    var places = symbols?.locate(asked) ?? asked
    domain = found.domain
    vcpu = found.vcpu
    state = found.state
    place = places.removeFirst()
    backtrace = zip(places, callers).map { place, caller in
      var place = place
      place.address = caller
      place.offset = place.offset.map { $0 + 1 }
      return place
    }
  }
}

extension RawCrash {
  private static let mostFrames = 32

  /// The return addresses on the stack: along the frame pointers where they hold, else every word that points into code.
  func returnAddresses(isCode: (UInt64) -> Bool) -> [UInt64] {
    guard let base = register("rsp") else { return [] }
    let chained = chain(from: register("rbp"), base: base, isCode: isCode)
    if !chained.isEmpty { return chained }
    return Array(stack.filter(isCode).prefix(Self.mostFrames))
  }

  private func chain(from start: UInt64?, base: UInt64, isCode: (UInt64) -> Bool) -> [UInt64] {
    var found: [UInt64] = []
    var frame = start
    var last = base
    while let pointer = frame, pointer >= last, found.count < Self.mostFrames,
      let saved = word(at: pointer, base: base),
      let address = word(at: pointer &+ 8, base: base), isCode(address)
    {
      found.append(address)
      last = pointer &+ 16
      frame = saved
    }
    return found
  }

  private func word(at address: UInt64, base: UInt64) -> UInt64? {
    guard address >= base, (address - base) % 8 == 0,
      let index = Int(exactly: (address - base) / 8), stack.indices.contains(index)
    else { return nil }
    return stack[index]
  }
}
