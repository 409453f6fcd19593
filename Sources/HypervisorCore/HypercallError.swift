// The errors that a hypercall can answer, by their numbers in the ABI, and the internal error that
// also knows of an interrupted operation.

/// An error number of the ABI.
///
/// A hypercall returns it negated.
public enum HypercallError: Int64, Error, Hashable, Sendable {
  /// The caller is not privileged enough.
  case notPermitted = 1
  /// The named thing does not exist.
  case noEntry = 2
  /// No such domain.
  case noDomain = 3
  /// No such device or address.
  case noDevice = 6
  /// An argument list is longer than accepted.
  case tooBig = 7
  /// Not an image that can be run.
  case notExecutable = 8
  /// Not possible at the moment.
  case tryAgain = 11
  /// Out of memory, or past the domain's allowance.
  case noMemory = 12
  /// Access to the object is denied.
  case accessDenied = 13
  /// A guest address could not be read or written.
  case fault = 14
  /// The object is in use in a way that forbids the operation.
  case busy = 16
  /// The object exists already.
  case exists = 17
  /// An argument is malformed or out of range.
  case invalid = 22
  /// No free slot is left.
  case noSpace = 28
  /// A number does not fit.
  case outOfRange = 34
  /// There is no such hypercall or operation.
  case noSuchCall = 38
  /// There is no data to return.
  case noData = 61
  /// The time given has passed already.
  case timePassed = 62
  /// The operation exists but is not supported for this object.
  case notSupported = 95
  /// The caller's buffer is too small.
  case noBuffer = 105
  /// Not connected.
  case notConnected = 107

  /// The name in the ABI's headers, for reports.
  public var name: StaticString {
    switch self {
    case .notPermitted: "EPERM"
    case .noEntry: "ENOENT"
    case .noDomain: "ESRCH"
    case .noDevice: "ENXIO"
    case .tooBig: "E2BIG"
    case .notExecutable: "ENOEXEC"
    case .tryAgain: "EAGAIN"
    case .noMemory: "ENOMEM"
    case .accessDenied: "EACCES"
    case .fault: "EFAULT"
    case .busy: "EBUSY"
    case .exists: "EEXIST"
    case .invalid: "EINVAL"
    case .noSpace: "ENOSPC"
    case .outOfRange: "ERANGE"
    case .noSuchCall: "ENOSYS"
    case .noData: "ENODATA"
    case .timePassed: "ETIME"
    case .notSupported: "EOPNOTSUPP"
    case .noBuffer: "ENOBUFS"
    case .notConnected: "ENOTCONN"
    }
  }
}

/// Why an operation on frames did not finish.
public enum MemoryError: Error, Hashable, Sendable {
  /// The guest asked for something that it may not have.
  case refused(HypercallError)
  /// Other work waits: the state is consistent, and the same operation goes on where it stopped.
  case preempted
}
