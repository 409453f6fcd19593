// The start of day: from the loader's start_info to a running Swift program. The order counts:
//
//     trap table -> shared page -> memory and heap -> event channels

internal import CGuest
internal import CXenABI
internal import XenABI

/// The domain that runs this.
public enum Guest {
  // SAFETY: written once by `start`, before anything else.
  nonisolated(unsafe) static var information = UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped

  /// Prepares everything that GuestRuntime offers; false where the hypervisor refuses something.
  public static func start(_ startInfo: UInt64) -> Bool {
    guard let place = UnsafeRawPointer(bitPattern: UInt(startInfo)) else { return false }
    information = place
    Traps.start()
    // The page of the image is given up for the hypervisor's.
    let page = field(Xen.Offset.start_info.shared_info)
    guard
      HYPERVISOR_update_va_mapping(
        UInt(guest_address_shared_page()), page | PageTables.writable, UInt(UVMF_INVLPG)) == 0
    else { return false }
    guard Memory.start() else { return false }
    Events.start()
    return true
  }

  /// A word of start_info.
  static func field(_ offset: Int) -> UInt64 {
    // SAFETY: offsets are those of start_info, which the loader has mapped.
    information.load(fromByteOffset: offset, as: UInt64.self)
  }

  /// The shared page.
  static var shared: UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(bitPattern: UInt(guest_address_shared_page())).unsafelyUnwrapped
  }

  /// Where the last page fault was.
  static var faultAddress: UInt64 {
    shared.load(
      fromByteOffset: Xen.Offset.vcpu_info.arch + Xen.Offset.arch_vcpu_info.cr2, as: UInt64.self)
  }

  /// Whether the domain is privileged.
  public static var isPrivileged: Bool {
    field(Xen.Offset.start_info.flags) & UInt64(SIF_PRIVILEGED) != 0
  }

  /// Whether a word stands in the command line, between spaces.
  public static func hasOption(_ option: StaticString) -> Bool {
    let line = information + Xen.Offset.start_info.cmd_line
    func byte(_ index: Int) -> UInt8 {
      index < Int(MAX_GUEST_CMDLINE) ? line.load(fromByteOffset: index, as: UInt8.self) : 0
    }
    var start = 0
    while byte(start) != 0 {
      var length = 0
      while byte(start + length) != 0, byte(start + length) != 0x20 { length += 1 }
      if length == option.utf8CodeUnitCount {
        var index = 0
        while index < length, byte(start + index) == option.utf8Start[index] { index += 1 }
        if index == length { return true }
      }
      start += length
      while byte(start) == 0x20 { start += 1 }
    }
    return false
  }

  /// The values of the options of a name, which ends in `=`, in their order.
  public static func options(_ name: StaticString) -> [[UInt8]] {
    let line = information + Xen.Offset.start_info.cmd_line
    var values: [[UInt8]] = []
    var word: [UInt8] = []
    for index in 0..<Int(MAX_GUEST_CMDLINE) {
      let byte = line.load(fromByteOffset: index, as: UInt8.self)
      if byte != 0, byte != 0x20 {
        word.append(byte)
        continue
      }
      let length = name.utf8CodeUnitCount
      var isNamed = word.count >= length
      if isNamed {
        for place in 0..<length where word[place] != name.utf8Start[place] { isNamed = false }
      }
      if isNamed { values.append([UInt8](word.dropFirst(length))) }
      if byte == 0 { break }
      word = []
    }
    return values
  }

  /// Ends the domain.
  public static func shutDown(reason: UInt32) -> Never {
    var request = sched_shutdown()
    request.reason = reason
    while true { _ = HYPERVISOR_sched_op(SCHEDOP_shutdown, &request, 0) }
  }

  /// Ends the domain as planned.
  public static func powerOff() -> Never { shutDown(reason: UInt32(SHUTDOWN_poweroff)) }
}
