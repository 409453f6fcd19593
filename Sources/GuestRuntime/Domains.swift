// The other domains, as Rootstock's control interface tells of them: rootstock.h. Other hypervisors do
// not have it, and there it looks as if there were no other domain.

internal import CGuest
internal import CRootstock
internal import CXenABI

/// What is known of another domain.
public struct OtherDomain {
  /// Its number.
  public var number: UInt16
  /// Whether it has ended, and is being taken apart.
  public var hasEnded: Bool
  /// Whether it waits to be resumed.
  public var isSuspended: Bool
  /// Why, if it has: SHUTDOWN_poweroff and others.
  public var reason: UInt32
  /// Frames of memory that it may have.
  public var frameCount: UInt64
  /// Its vcpus.
  public var vcpuCount: Int
  /// The machine frame of its page for xenstore; 0 for none.
  public var storeFrame: UInt64
  /// Its port for xenstore; 0 for none.
  public var storePort: UInt32
  /// The machine frame of its page for the console; 0 for none.
  public var consoleFrame: UInt64
  /// Its port for the console; 0 for none.
  public var consolePort: UInt32
  /// Frames of memory that it has.
  public var heldCount: UInt64
}

/// The other domains.
public enum Domains {
  /// All of them, by number.
  public static func list() -> [OtherDomain] {
    var result: [OtherDomain] = []
    var request = rootstock_domain()
    request.domain = 1
    while guest_control(UInt64(ROOTSTOCK_NEXT_DOMAIN), &request) == 0 {
      result.append(
        OtherDomain(
          number: request.domain, hasEnded: request.state == UInt16(ROOTSTOCK_DOMAIN_HAS_ENDED),
          isSuspended: request.state == UInt16(ROOTSTOCK_DOMAIN_IS_SUSPENDED),
          reason: request.reason, frameCount: request.frames, vcpuCount: Int(request.vcpus),
          storeFrame: request.store_frame, storePort: request.store_port,
          consoleFrame: request.console_frame, consolePort: request.console_port,
          heldCount: request.held))
      request.domain += 1
    }
    return result
  }

  /// Lets a domain begin that waits for it.
  public static func begin(_ number: UInt16) { _ = change(ROOTSTOCK_START_DOMAIN, number) }

  /// From now on it waits when it suspends, instead of ending.
  public static func keepSuspended(_ number: UInt16) {
    _ = change(ROOTSTOCK_KEEP_SUSPENDED, number)
  }

  /// Has a suspended domain written down, for who saves it; whether that was possible.
  public static func record(_ number: UInt16) -> Bool { change(ROOTSTOCK_RECORD_DOMAIN, number) }

  /// Lets a suspended domain go on, which waits to begin then; whether that was possible by now.
  public static func resume(_ number: UInt16, asNew isNew: Bool) -> Bool {
    change(
      ROOTSTOCK_RESUME_DOMAIN, number,
      Int64(isNew ? ROOTSTOCK_AS_NEW : ROOTSTOCK_AS_CANCELLED))
  }

  /// A request of the control interface about one domain, with its value if it has one.
  public static func change(_ operation: Int32, _ number: UInt16, _ value: Int64 = 0) -> Bool {
    var request = rootstock_change()
    request.domain = number
    request.value = value
    return guest_control(UInt64(operation), &request) == 0
  }

  /// Builds a domain that waits for ``begin(_:)``, out of boot modules: kernel, ramdisk, command line;
  /// then MiB, vcpus, weight.
  public static func build(_ number: UInt16, _ parts: [UInt64]) -> Bool {
    var request = rootstock_build()
    request.domain = number
    request.kernel = UInt16(truncatingIfNeeded: parts[0])
    request.ramdisk = UInt16(truncatingIfNeeded: parts[1])
    request.arguments = UInt16(truncatingIfNeeded: parts[2] + 1)
    request.memory = UInt32(truncatingIfNeeded: parts[3])
    request.vcpus = UInt16(truncatingIfNeeded: parts[4])
    request.weight = UInt32(truncatingIfNeeded: parts[5])
    return guest_control(UInt64(ROOTSTOCK_BUILD_DOMAIN), &request) == 0
  }

  /// Calls `body` out of the loop when a domain has ended, and when one is gone.
  public static func onEnd(_ body: @escaping () -> Void) -> Bool {
    guard let port = Events.bind(interrupt: UInt32(VIRQ_DOM_EXC)) else { return false }
    Events.handle(port, body)
    return true
  }
}
