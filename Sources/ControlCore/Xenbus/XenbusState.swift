// What a backend does next, out of its own state, the frontend's and the toolstack's wish: a table
// without memory, so that any order of changes, and any that a guest makes up, leads somewhere known.
//
//   frontend     backend before          backend does
//   1            1, 6                    announce, go to 2
//   1            3, 4                    a new kernel came without closing: disconnect, go to 6
//   2            -                       nothing: frontends wait for us there
//   3, 4         2                       connect, go to 4; a network in state 4 alone
//   5            3, 4                    disconnect, go to 5
//   6, gone      2 to 5                  disconnect, go to 6, and away if it is not online

public import XenABI

/// A state of either side.
public typealias XenbusState = Xen.XenbusStates

/// What a backend does.
public enum XenbusStep: UInt8, Sendable {
  /// Nothing.
  case wait
  /// Write features and wait for the frontend.
  case announce
  /// Read the frontend's keys and connect.
  case connect
  /// Let go of the frontend's pages and ask it to close.
  case closing
  /// Let go of the frontend's pages; closed afterwards.
  case closed
  /// Let go of everything and remove the device.
  case remove
}

extension XenbusStep {
  /// What a backend does next.
  ///
  /// `isCompleteInitialised` says that frontends in state 3 have written all their keys.
  public init(
    backend: XenbusState, frontend: XenbusState, isOnline: Bool, isAskedToClose: Bool,
    isCompleteInitialised: Bool
  ) {
    switch frontend {
    case .xenbusStateUnknown:
      // The frontend's directory is gone: so is the device, unless it has not come yet.
      self = backend == .xenbusStateInitialising && isOnline ? .wait : .remove
    case .xenbusStateClosed:
      switch backend {
      case .xenbusStateClosed: self = isOnline ? .wait : .remove
      case .xenbusStateInitialising, .xenbusStateInitWait:
        self =
          isOnline && !isAskedToClose
          ? (backend == .xenbusStateInitWait ? .wait : .announce)
          : .closed
      default: self = .closed
      }
    case _ where isAskedToClose:
      self = backend == .xenbusStateClosing || backend == .xenbusStateClosed ? .wait : .closing
    case .xenbusStateInitialising, .xenbusStateInitWait:
      switch backend {
      case .xenbusStateInitialising, .xenbusStateClosed: self = isOnline ? .announce : .remove
      case .xenbusStateInitWait: self = .wait
      default: self = .closed
      }
    case .xenbusStateInitialised, .xenbusStateConnected:
      switch backend {
      case .xenbusStateInitialising: self = .announce
      case .xenbusStateInitWait:
        self = frontend == .xenbusStateConnected || isCompleteInitialised ? .connect : .wait
      default: self = .wait
      }
    case .xenbusStateClosing:
      switch backend {
      case .xenbusStateClosing, .xenbusStateClosed: self = .wait
      default: self = .closing
      }
    default:
      // A number that is no state.
      self = .wait
    }
  }

  /// The state that a key holds: none where it is absent, and a number that is no state where a guest
  /// has written something else.
  static func state(_ text: Bytes?) -> XenbusState {
    guard let text else { return .xenbusStateUnknown }
    guard let number = text.decimal, number > 0, number <= 8 else {
      return XenbusState(rawValue: .max)
    }
    return XenbusState(rawValue: UInt32(number))
  }
}
