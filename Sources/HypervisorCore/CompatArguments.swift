// Hypercalls of 32-bit guests whose argument has another form: it is copied once, widened into a page
// that no guest reaches, and the handler of 64-bit guests works on that.

import CXenABI

/// Bytes of a structure in either form; the largest is xen_memory_exchange, of 72 bytes.
private struct CompatBuffer {
  var words = InlineArray<9, UInt64>(repeating: 0)
}

/// The argument of an operation of memory_op.
private struct CompatForm {
  var layout: CompatLayout
  /// The operation answers in it.
  var isWrittenBack = false
  /// It names a list of extents.
  var isOfExtents = false
}

extension Hypervisor {
  /// Makes a call with the structure that an argument points to widened, and writes it back if the
  /// handler answers in it.
  public func withWidened(
    _ layout: CompatLayout, argument index: Int, isWrittenBack: Bool,
    _ arguments: inout HypercallArguments,
    _ call: (inout HypercallArguments) -> HypercallResult
  ) -> HypercallResult {
    let place = GuestVirtualAddress(arguments[index])
    defer { arguments[index] = place.value }
    do throws(HypercallError) {
      try widen(layout, at: place)
      arguments[index] = machine.argumentPage.value
      let result = call(&arguments)
      if isWrittenBack { try narrow(layout, to: place) }
      return result
    } catch {
      return .error(error)
    }
  }

  private func widen(
    _ layout: CompatLayout, at place: GuestVirtualAddress
  ) throws(HypercallError) {
    let size = layout.size
    var source = CompatBuffer()
    var target = CompatBuffer()
    guard place.isGuestRange(byteCount: UInt64(size.narrow)) else { throw .fault }
    do throws(GuestMemoryFault) {
      // SAFETY: no structure is larger than the buffer.
      try machine.copyIn(&source, from: place, byteCount: size.narrow)
      layout.widen(&source, to: &target)
      try machine.copyOut(to: machine.argumentPage, from: &target, byteCount: size.wide)
    } catch { throw .fault }
  }

  private func narrow(
    _ layout: CompatLayout, to place: GuestVirtualAddress
  ) throws(HypercallError) {
    let size = layout.size
    var source = CompatBuffer()
    var target = CompatBuffer()
    do throws(GuestMemoryFault) {
      // SAFETY: as above.
      try machine.copyIn(&source, from: machine.argumentPage, byteCount: size.wide)
      layout.narrow(&source, to: &target)
      try machine.copyOut(to: place, from: &target, byteCount: size.narrow)
    } catch { throw .fault }
  }

  /// memory_op of a 32-bit guest.
  public func compatMemoryOperation(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    guard let form = Self.memoryForm(Int32(arguments[0] & 0x3f)) else {
      return memoryOperation(&arguments, from: caller)
    }
    let start = arguments[0] >> 6
    let result = withWidened(
      form.layout, argument: 1, isWrittenBack: form.isWrittenBack, &arguments
    ) { memoryOperation(&$0, from: caller) }
    // Of a reservation that cannot be read nothing is done, and that is the answer.
    return form.isOfExtents && result == .error(.fault) ? .value(Int64(start)) : result
  }

  /// The argument's form, where it differs.
  private static func memoryForm(_ command: Int32) -> CompatForm? {
    switch command {
    case XENMEM_increase_reservation, XENMEM_decrease_reservation, XENMEM_populate_physmap:
      CompatForm(layout: CompatLayout("llwwh"), isOfExtents: true)
    case XENMEM_exchange: CompatForm(layout: CompatLayout("llwwhAllwwhAl"), isWrittenBack: true)
    case XENMEM_machphys_mapping: CompatForm(layout: CompatLayout("lll"), isWrittenBack: true)
    case XENMEM_machphys_mfn_list: CompatForm(layout: CompatLayout("wlw"), isWrittenBack: true)
    case XENMEM_machine_memory_map: CompatForm(layout: CompatLayout("wl"), isWrittenBack: true)
    case XENMEM_add_to_physmap: CompatForm(layout: CompatLayout("hhwll"))
    case XENMEM_remove_from_physmap: CompatForm(layout: CompatLayout("hl"))
    default: nil
    }
  }

  /// grant_table_op of a 32-bit guest.
  ///
  /// Elements whose form differs are carried out one at a time.
  public func compatGrantTableOperation(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    guard let layout = Self.grantForm(arguments[0]) else {
      return grantTableOperation(&arguments, from: caller)
    }
    let count = arguments[2] & 0xffff_ffff
    // What the handler says of a number of elements that it does not take.
    guard count != 0, count >> 31 == 0 else { return grantTableOperation(&arguments, from: caller) }
    let size = UInt64(layout.size.narrow)
    var base = GuestVirtualAddress(arguments[1])
    guard base.isGuestRange(byteCount: count * size) else { return .error(.fault) }
    // Operations on one structure refuse more of them.
    if arguments[0] == UInt64(GNTTABOP_setup_table)
      || arguments[0] == UInt64(GNTTABOP_get_status_frames),
      count != 1
    {
      return .error(.invalid)
    }
    for left in stride(from: count, to: 0, by: -1) {
      if left < count, shallYield {
        arguments[1] = base.value
        arguments[2] = left
        return .again
      }
      var single = HypercallArguments(arguments[0], base.value, 1)
      let result = withWidened(layout, argument: 1, isWrittenBack: true, &single) {
        grantTableOperation(&$0, from: caller)
      }
      switch result {
      case .value(0): break
      case .value: return result
      case .again:
        arguments[1] = base.value
        arguments[2] = left
        return .again
      }
      base.value += size
    }
    return .value(0)
  }

  /// The element's form, where it differs.
  static func grantForm(_ command: UInt64) -> CompatLayout? {
    switch Int32(truncatingIfNeeded: command) {
    case GNTTABOP_setup_table: CompatLayout("hwhl")
    case GNTTABOP_transfer: CompatLayout("lhwh")
    case GNTTABOP_copy: CompatLayout("lhhAlhhAhhh")
    case GNTTABOP_get_status_frames: CompatLayout("whhl")
    default: nil
    }
  }
}
