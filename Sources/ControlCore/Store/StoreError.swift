// The errors that the store answers. On the wire an error is its name as text.

/// Why a request failed.
public enum StoreError: UInt8, Error, Hashable, Sendable {
  /// EINVAL: the request is malformed.
  case invalid
  /// ENOENT: there is no such node, watch, transaction or domain.
  case noEntry
  /// EACCES: the node's permissions forbid it.
  case accessDenied
  /// EPERM: only another may do this.
  case notPermitted
  /// EEXIST: the watch is set already.
  case exists
  /// ENOSPC: a quota is reached.
  case noSpace
  /// EAGAIN: the transaction conflicts with a change since it began; do it all again.
  case tryAgain
  /// EBUSY: a transaction inside a transaction.
  case busy
  /// E2BIG: too many watches, or an answer that does not fit.
  case tooBig
  /// ENOSYS: there is no such request.
  case noSuchCall

  /// The text on the wire, without the zero byte that ends it.
  public var name: StaticString {
    switch self {
    case .invalid: "EINVAL"
    case .noEntry: "ENOENT"
    case .accessDenied: "EACCES"
    case .notPermitted: "EPERM"
    case .exists: "EEXIST"
    case .noSpace: "ENOSPC"
    case .tryAgain: "EAGAIN"
    case .busy: "EBUSY"
    case .tooBig: "E2BIG"
    case .noSuchCall: "ENOSYS"
    }
  }
}
