// What may be asked of xenstore. Each waits for its answer.

import CXenABI

extension Store {
  /// Reads a value of up to `most` bytes; E2BIG: it has more.
  public func read(
    _ path: Text, in transaction: UInt32 = 0, most: Int = .max
  ) throws(Failure) -> Text {
    let value = try ask(XS_READ, transaction, [path])
    if value.count > most { throw Failure(XEN_E2BIG) }
    return Text(value)
  }

  /// Writes a value.
  public func write(_ path: Text, _ value: Text, in transaction: UInt32 = 0) throws(Failure) {
    _ = try ask(XS_WRITE, transaction, [path], value: value.bytes)
  }

  /// Makes a directory.
  public func makeDirectory(_ path: Text, in transaction: UInt32 = 0) throws(Failure) {
    _ = try ask(XS_MKDIR, transaction, [path])
  }

  /// Removes a key and all below it.
  public func remove(_ path: Text, in transaction: UInt32 = 0) throws(Failure) {
    _ = try ask(XS_RM, transaction, [path])
  }

  /// Names of the children.
  public func list(_ path: Text, in transaction: UInt32 = 0) throws(Failure) -> [Text] {
    try ask(XS_DIRECTORY, transaction, [path]).split(separator: 0).map { Text($0) }
  }

  /// Permissions, as texts like "n0" and "r3".
  public func permissions(of path: Text, in transaction: UInt32 = 0) throws(Failure) -> [Text] {
    try ask(XS_GET_PERMS, transaction, [path]).split(separator: 0).map { Text($0) }
  }

  /// Sets the permissions.
  public func setPermissions(
    of path: Text, _ permissions: [Text], in transaction: UInt32 = 0
  ) throws(Failure) {
    _ = try ask(XS_SET_PERMS, transaction, [path] + permissions)
  }

  /// Begins a transaction.
  public func begin() throws(Failure) -> UInt32 {
    let number = Text(try ask(XS_TRANSACTION_START, 0, [""]).prefix { $0 != 0 }).number
    guard let number, let transaction = UInt32(exactly: number), transaction != 0 else {
      throw Failure(XEN_EIO)
    }
    return transaction
  }

  /// EAGAIN: somebody else changed what was read or written; do all of it again.
  public func commit(_ transaction: UInt32) throws(Failure) {
    _ = try ask(XS_TRANSACTION_END, transaction, ["T"])
  }

  /// Ends a transaction without a change.
  public func abort(_ transaction: UInt32) {
    _ = try? ask(XS_TRANSACTION_END, transaction, ["F"])
  }

  /// A key as a number.
  ///
  /// Absent or no number: `otherwise`.
  public func number(_ path: Text, otherwise: UInt64) -> UInt64 {
    guard path.bytes.count < Text.pathMax, let text = try? read(path, most: 23) else {
      return otherwise
    }
    return text.number ?? otherwise
  }
}

extension Failure {
  /// The number of an error that the daemon names.
  init(named name: ArraySlice<UInt8>) {
    let errors: [(StaticString, Int32)] = [
      ("EINVAL", XEN_EINVAL), ("EACCES", XEN_EACCES), ("EEXIST", XEN_EEXIST),
      ("EISDIR", XEN_EISDIR), ("ENOENT", XEN_ENOENT), ("ENOMEM", XEN_ENOMEM),
      ("ENOSPC", XEN_ENOSPC), ("EIO", XEN_EIO), ("ENOTEMPTY", XEN_ENOTEMPTY),
      ("ENOSYS", XEN_ENOSYS), ("EROFS", XEN_EROFS), ("EBUSY", XEN_EBUSY),
      ("EAGAIN", XEN_EAGAIN), ("EISCONN", XEN_EISCONN), ("E2BIG", XEN_E2BIG),
      ("EPERM", XEN_EPERM),
    ]
    let found = errors.first { error in
      error.0.withUTF8Buffer { $0.elementsEqual(name) }
    }
    self.init(found?.1 ?? XEN_EIO)
  }
}
