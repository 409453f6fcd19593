// Files become a folder: all of it or nothing. It is written beside its place and renamed.

public import ABIGenerator
import Foundation

/// The folder that a project is written to.
public struct ScaffoldFolder: Sendable {
  private let path: String
  /// What is written first; whoever interrupts removes it.
  public let temporary: String

  /// A folder of that path, which need not exist.
  public init(path: String) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    temporary = "\(path).\(ProcessInfo.processInfo.processIdentifier).partial"
  }

  /// Throws if there is something at the path that must not be written over.
  public func check(force: Bool) throws(ScaffoldError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else { throw .folder(path, "a file") }
    guard !force else { return }
    let present: [String]
    do {
      present = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw .folder(path, error.localizedDescription)
    }
    guard present.isEmpty else { throw .notEmpty(path) }
  }

  /// Writes the files; with `force` into a folder that has others, which stay.
  public func write(_ files: [GeneratedFile], force: Bool) throws(ScaffoldError) {
    try check(force: force)
    let manager = FileManager.default
    defer { try? manager.removeItem(atPath: temporary) }
    do {
      for file in files {
        let target = URL(filePath: temporary).appending(path: file.path)
        try manager.createDirectory(
          at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(file.text.utf8).write(to: target)
        if file.text.hasPrefix("#!") {
          try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: target.path)
        }
      }
      if !manager.fileExists(atPath: path) {
        try manager.moveItem(atPath: temporary, toPath: path)
      } else if try manager.contentsOfDirectory(atPath: path).isEmpty {
        guard rename(temporary, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
      } else {
        for file in files { try place(file.path) }
      }
    } catch {
      throw .folder(path, error.localizedDescription)
    }
  }

  /// Moves one file into a folder that has others: each is whole at every moment.
  private func place(_ file: String) throws {
    let target = URL(filePath: path).appending(path: file)
    try FileManager.default.createDirectory(
      at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    guard rename("\(temporary)/\(file)", target.path) == 0 else {
      throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: target.path])
    }
  }
}
