// Paths of a guest's sources as its DWARF has them, turned into paths from the current folder: that is
// what an annotation in CI needs to find its line.

import Foundation

/// Paths of one port's sources.
struct SourcePaths {
  /// The port's folder, with a slash at its end; empty for the current one.
  let folder: String
  /// The current folder.
  var current = FileManager.default.currentDirectoryPath
  /// Whether a file is there.
  var exists: (String) -> Bool = FileManager.default.fileExists(atPath:)

  /// The path to show for a place's file.
  func path(_ file: String) -> String {
    if file.hasPrefix("/") {
      let prefix = current.hasSuffix("/") ? current : current + "/"
      return file.hasPrefix(prefix) ? String(file.dropFirst(prefix.count)) : file
    }
    // A kernel is most often compiled in the folder of its PORT.yaml.
    return !folder.isEmpty && !folder.hasPrefix("/") && exists(folder + file) ? folder + file : file
  }
}
