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
          frameCount: request.frames, vcpuCount: Int(request.vcpus),
          storeFrame: request.store_frame, storePort: request.store_port,
          consoleFrame: request.console_frame, consolePort: request.console_port,
          heldCount: request.held))
      request.domain += 1
    }
    return result
  }

  /// Lets a domain begin that waits for it.
  public static func begin(_ number: UInt16) {
    var request = rootstock_domain()
    request.domain = number
    _ = guest_control(UInt64(ROOTSTOCK_START_DOMAIN), &request)
  }

  /// Calls `body` out of the loop when a domain has ended, and when one is gone.
  public static func onEnd(_ body: @escaping () -> Void) -> Bool {
    guard let port = Events.bind(interrupt: UInt32(VIRQ_DOM_EXC)) else { return false }
    Events.handle(port, body)
    return true
  }
}
