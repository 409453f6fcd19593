// What an examination asks of a machine. The tests answer with tables.

/// A machine that can be examined.
public protocol Examinable {
  /// The system's name, as /etc/os-release gives it.
  var system: String { get }
  /// Processors in use.
  var processors: Int { get }
  /// Bytes of memory in all, and those that programs can still have.
  var memory: (total: UInt64, available: UInt64)? { get }
  /// The folder in which this command stands.
  var commandFolder: String { get }
  /// The folder for temporary files, in which boots are staged.
  var temporaryFolder: String { get }

  /// Bytes that a user can still write into `folder`; `nil` where there is none such.
  func freeSpace(in folder: String) -> UInt64?
  /// The path of a program, by PATH.
  func path(ofProgram name: String) -> String?
  /// What a program prints; `nil` where it does not end well.
  func output(of program: String, _ arguments: [String]) -> String?
  /// The file or folder is there and can be read.
  func isReadable(_ path: String) -> Bool
  /// The file or folder is there.
  func exists(_ path: String) -> Bool
  /// It can be read and written.
  func isWritable(_ path: String) -> Bool
  /// Names in a folder; none where it is not there.
  func names(in folder: String) -> [String]
  /// The text of a file.
  func text(of path: String) -> String?
  /// The value of an environment variable.
  func environment(_ name: String) -> String?
}
