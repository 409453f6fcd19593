// The errors that a hypercall can answer, and the internal error that also knows of an interrupted
// operation.

import CXenABI

/// An error number of the ABI.
///
/// A hypercall returns it negated.
public enum HypercallError: Error, Hashable, Sendable {
  /// The caller is not privileged enough.
  case notPermitted
  /// The named thing does not exist.
  case noEntry
  /// No such domain.
  case noDomain
  /// No such device or address.
  case noDevice
  /// An argument list is longer than accepted.
  case tooBig
  /// Not an image that can be run.
  case notExecutable
  /// Not possible at the moment.
  case tryAgain
  /// Out of memory, or past the domain's allowance.
  case noMemory
  /// Access to the object is denied.
  case accessDenied
  /// A guest address could not be read or written.
  case fault
  /// The object is in use in a way that forbids the operation.
  case busy
  /// The object exists already.
  case exists
  /// No device, or no register, of that number.
  case noSuchDevice
  /// An argument is malformed or out of range.
  case invalid
  /// No free slot is left.
  case noSpace
  /// A number does not fit.
  case outOfRange
  /// There is no such hypercall or operation.
  case noSuchCall
  /// There is no data to return.
  case noData
  /// The time given has passed already.
  case timePassed
  /// The operation exists but is not supported for this object.
  case notSupported
  /// The caller's buffer is too small.
  case noBuffer
  /// Not connected.
  case notConnected

  /// The number in the ABI, positive.
  public var rawValue: Int64 {
    switch self {
    case .notPermitted: Int64(XEN_EPERM)
    case .noEntry: Int64(XEN_ENOENT)
    case .noDomain: Int64(XEN_ESRCH)
    case .noDevice: Int64(XEN_ENXIO)
    case .tooBig: Int64(XEN_E2BIG)
    case .notExecutable: Int64(XEN_ENOEXEC)
    case .tryAgain: Int64(XEN_EAGAIN)
    case .noMemory: Int64(XEN_ENOMEM)
    case .accessDenied: Int64(XEN_EACCES)
    case .fault: Int64(XEN_EFAULT)
    case .busy: Int64(XEN_EBUSY)
    case .exists: Int64(XEN_EEXIST)
    case .noSuchDevice: Int64(XEN_ENODEV)
    case .invalid: Int64(XEN_EINVAL)
    case .noSpace: Int64(XEN_ENOSPC)
    case .outOfRange: Int64(XEN_ERANGE)
    case .noSuchCall: Int64(XEN_ENOSYS)
    case .noData: Int64(XEN_ENODATA)
    case .timePassed: Int64(XEN_ETIME)
    case .notSupported: Int64(XEN_EOPNOTSUPP)
    case .noBuffer: Int64(XEN_ENOBUFS)
    case .notConnected: Int64(XEN_ENOTCONN)
    }
  }

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
    case .noSuchDevice: "ENODEV"
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
