// What can be wrong with a baseline, a trace or a suppression file, with the place in it.

import Foundation

/// Why a file that the gate needs could not be used.
public struct GateFileError: Error, Sendable, Equatable {
  /// The file, as the user gave it.
  public var path: String
  /// The line, from 1; 0 where the file could not be read at all.
  public var line: Int
  /// The column in characters, from 1; 0 where the file could not be read at all.
  public var column: Int
  /// What a good file would have there.
  public var expected: String
  /// What is there instead.
  public var found: String

  public init(path: String, line: Int, column: Int, expected: String, found: String) {
    self.path = path
    self.line = line
    self.column = column
    self.expected = expected
    self.found = found
  }

  /// `path:line:column: expected …, found …`.
  public var message: String {
    let place = line > 0 ? "\(path):\(line):\(column)" : path
    return "\(place): expected \(expected), found \(found)"
  }
}

/// Reads the whole of a file, if it is no larger than `limit`.
func readGateFile(_ path: String, limit: Int) throws(GateFileError) -> [UInt8] {
  var status = stat()
  // A pipe would keep the audit waiting for somebody to write into it.
  if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
    throw GateFileError(
      path: path, line: 0, column: 0, expected: "a regular file",
      found: status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "none")
  }
  let data: Data
  do {
    let handle = try FileHandle(forReadingFrom: URL(filePath: path))
    defer { try? handle.close() }
    data = try handle.read(upToCount: limit + 1) ?? Data()
  } catch {
    throw GateFileError(
      path: path, line: 0, column: 0, expected: "a readable file", found: reason(of: error))
  }
  guard data.count <= limit else {
    throw GateFileError(
      path: path, line: 0, column: 0, expected: "at most \(limit) bytes", found: "more")
  }
  return [UInt8](data)
}

private func reason(of error: any Error) -> String {
  let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
  guard let code = underlying ?? (error as NSError) as NSError?, code.domain == NSPOSIXErrorDomain
  else { return "none that can be read" }
  return String(cString: strerror(Int32(truncatingIfNeeded: code.code)))
}
