// The paths of a folder. Links are not followed, a folder with a repository of its own in it is a
// submodule, and `.git` at the top is no part of the tree.

import Foundation

/// Lists folders.
enum FolderTree {
  /// Every path below `root`, in the order of bytes.
  static func entries(of root: String) throws(EffortError) -> [TreeEntry] {
    var entries: [TreeEntry] = []
    var waiting: [[UInt8]] = [[]]
    while let folder = waiting.popLast() {
      for name in try names(in: absolute(root, folder)) {
        let path = folder.isEmpty ? name : folder + [0x2F] + name
        if folder.isEmpty, name.elementsEqual(".git".utf8) { continue }
        var status = stat()
        guard lstat(absolute(root, path), &status) == 0 else {
          throw unreadable(absolute(root, path))
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
          entries.append(TreeEntry(rawPath: path, kind: .file, size: Int(status.st_size)))
        case S_IFLNK:
          entries.append(
            TreeEntry(rawPath: path, kind: .symlink, object: target(of: absolute(root, path))))
        case S_IFDIR:
          if access(absolute(root, path + Array("/.git".utf8)), F_OK) == 0 {
            entries.append(TreeEntry(rawPath: path, kind: .submodule))
          } else {
            waiting.append(path)
          }
        default:
          entries.append(TreeEntry(rawPath: path, kind: .other))
        }
      }
    }
    return entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  /// The absolute path of an entry, for the C library.
  static func absolute(_ root: String, _ path: [UInt8]) -> [CChar] {
    var bytes = Array(root.utf8)
    if !path.isEmpty { bytes += [0x2F] + path }
    return bytes.map { CChar(bitPattern: $0) } + [0]
  }

  /// The absolute path of an entry.
  static func absolute(_ root: String, _ entry: TreeEntry) -> [CChar] {
    absolute(root, entry.rawPath ?? Array(entry.path.utf8))
  }

  /// Where a link leads, in the place of a blob's name.
  private static func target(of link: [CChar]) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(link, &buffer, buffer.count)
    return "link to "
      + String(
        decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  static func unreadable(_ path: [CChar]) -> EffortError {
    let reason = strerror(errno).map { String(cString: $0).lowercased() } ?? "an error"
    let text = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return .input(
      subject: text, expected: "a file or folder that can be read",
      found: reason)
  }

  private static func names(in folder: [CChar]) throws(EffortError) -> [[UInt8]] {
    guard let stream = opendir(folder) else { throw unreadable(folder) }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { field in
        // The C library ends the name with a zero within the field.
        Array(field.prefix { $0 != 0 })
      }
      if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
    }
    return names
  }
}
