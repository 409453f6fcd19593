// Which fault strikes whom: an option of the command line,
//
//     fault=block:wrong-id                     every guest
//     fault=2:net:rx-offset:every=5:count=9    domain 2 alone, at each fifth response, nine times
//     fault=domain:resume:every=3              the whole domain, 0.3 s after its start or the last time

public import ControlCore

/// A fault with the numbers that the command line gave it.
public struct FaultPlan: Sendable {
  /// The fault.
  public let fault: Fault
  /// Whom it strikes; `nil` for every guest.
  public private(set) var domain: DomainID?
  /// At which responses it strikes: at each of this number; or after how many tenths of a second.
  public private(set) var every: Int
  /// How often it strikes at most; 0 for ever.
  public private(set) var count: Int

  /// The value of an option; `nil` where it names no fault or is malformed.
  public init?(_ text: Bytes) {
    var words = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      .map { Bytes($0) }
    var domain: DomainID?
    if let first = words.first, first.decimal != nil {
      guard let named = DomainID(first), named != .control else { return nil }
      domain = named
      words.removeFirst()
    }
    guard words.count >= 2,
      let fault = Fault.all.first(where: {
        words[0].equals($0.target.name) && words[1].equals($0.name)
      })
    else { return nil }
    self.fault = fault
    self.domain = domain
    every = fault.every
    count = fault.count
    for word in words.dropFirst(2) {
      let pair = word.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
      guard pair.count == 2, let number = Bytes(pair[1]).decimal, number <= 1_000_000 else {
        return nil
      }
      if Bytes(pair[0]).equals("every"), number > 0 {
        every = Int(number)
      } else if Bytes(pair[0]).equals("count") {
        count = Int(number)
      } else {
        return nil
      }
    }
  }

  /// Whether it strikes a guest.
  public func strikes(_ guest: DomainID) -> Bool { domain == nil || domain == guest }
}

/// When a fault strikes: at each response of a number, so often at most.
struct FaultClock {
  private let every: Int
  private let limit: Int
  private var seen = 0
  private(set) var struck = 0

  init(_ plan: FaultPlan) {
    every = plan.every
    limit = plan.count
  }

  /// Counts a response; whether the fault strikes at it.
  mutating func tick() -> Bool {
    seen += 1
    guard seen % every == 0, limit == 0 || struck < limit else { return false }
    struck += 1
    return true
  }
}
