// xen_version: what Rootstock says it is (abi/version.yaml).

import CMachine
import CXenABI
import HypervisorCore

/// The questions of xen_version.
enum VersionHypercall {
  /// 4.17, the release whose interface abi/ describes.
  static let version: UInt32 = 4 << 16 | 17

  private static let features: UInt32 =
    1 << UInt32(XENFEAT_mmu_pt_update_preserve_ad) | 1 << UInt32(XENFEAT_highmem_assist)
    | 1 << UInt32(XENFEAT_direct_mapped) | 1 << UInt32(XENFEAT_gnttab_map_avail_bits)

  @inline(__always)
  static func perform(
    _ arguments: HypercallArguments, from guest: GuestDomainPointer
  ) -> HypercallResult {
    // What guests ask only for the sake of the way in: events are delivered on the way back.
    if arguments.command(0) == XENVER_version { return .value(Int64(version)) }
    return write(arguments, guest)
  }

  @inline(never)
  private static func write(
    _ arguments: HypercallArguments, _ guest: GuestDomainPointer
  ) -> HypercallResult {
    answer { () throws(HypercallError) in
      try tell(arguments.command(0), arguments.address(1), guest)
    }
  }

  private static func tell(
    _ command: Int32, _ answer: GuestVirtualAddress, _ guest: GuestDomainPointer
  ) throws(HypercallError) -> Int64 {
    switch command {
    case XENVER_extraversion: try write(".0-rootstock", length: 16, to: answer)
    case XENVER_compile_info: try writeCompileInfo(answer)
    case XENVER_capabilities: try write("xen-3.0-x86_64 ", length: 1024, to: answer)
    case XENVER_changeset: try write("unavailable", length: 64, to: answer)
    case XENVER_platform_parameters:
      guard GuestMemory.store(UInt64(XG_HOLE_START), to: answer) else { throw .fault }
    case XENVER_get_features: try writeFeatures(answer, guest)
    case XENVER_pagesize: return 4096
    case XENVER_guest_handle:
      guard GuestMemory.store(InlineArray<16, UInt8>(repeating: 0), to: answer) else {
        throw .fault
      }
    case XENVER_commandline: try writeCommandLine(answer)
    case XENVER_build_id: throw .noData
    default: throw .noSuchCall
    }
    return 0
  }

  private static func writeFeatures(
    _ answer: GuestVirtualAddress, _ guest: GuestDomainPointer
  ) throws(HypercallError) {
    guard var info = GuestMemory.load(xen_feature_info(), from: answer) else { throw .fault }
    guard info.submap_idx == 0 else { throw .invalid }
    info.submap = features
    if guest.pointee.domain.pointee.isPrivileged { info.submap |= 1 << UInt32(XENFEAT_dom0) }
    guard GuestMemory.store(info, to: answer) else { throw .fault }
  }

  private static func writeCompileInfo(_ answer: GuestVirtualAddress) throws(HypercallError) {
    try write("Embedded Swift", length: 64, to: answer)
    guard let builder = answer.advanced(by: 64) else { throw .fault }
    try write("xenograft", length: 16 + 32 + 32, to: builder)
  }

  private static func writeCommandLine(_ answer: GuestVirtualAddress) throws(HypercallError) {
    for index in 0..<1024 {
      guard let place = answer.advanced(by: UInt64(index)),
        GuestMemory.store(Host.boot.commandLine[index], to: place)
      else { throw .fault }
    }
  }

  /// Writes text and zeroes behind it up to `length`.
  private static func write(
    _ text: StaticString, length: Int, to answer: GuestVirtualAddress
  ) throws(HypercallError) {
    var written = 0
    while written < length {
      var piece = InlineArray<16, UInt8>(repeating: 0)
      for index in 0..<16 where written + index < min(text.utf8CodeUnitCount, length - 1) {
        piece[index] = text.utf8Start[written + index]
      }
      guard let place = answer.advanced(by: UInt64(written)) else { throw .fault }
      guard GuestMemory.store(piece, to: place) else { throw .fault }
      written += 16
    }
  }
}
