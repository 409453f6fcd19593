// The form of an edge case: two trees, perhaps a map, and what must come out, file by file.

@testable import Effort

/// One rule of counting, as the smallest trees that show it.
struct EdgeCase: CustomStringConvertible, Sendable {
  var name: String
  var base: @Sendable () -> Tree
  var port: @Sendable () -> Tree
  var map: String?
  /// `added modified removed` in raw lines, white space ignored, for each file that is counted.
  var files: [String: String]
  /// The same with white space counted, and under the other counts, where the case is about them.
  var strict: [String: String]?
  var code: [String: String]?
  var nonblank: [String: String]?
  /// Sections of files, where the case is about them.
  var sections: [String: String] = [:]
  var status: [String: FileStatus] = [:]
  var listed = EffortReport.Listed()
  /// Raw lines of the denominator.
  var baseLines: Int?
  /// Cases that only folders or only revisions can show.
  var kinds: [SideKind] = SideKind.allCases

  var description: String { name }

  init(
    _ name: String, base: @autoclosure @escaping @Sendable () -> Tree,
    port: @autoclosure @escaping @Sendable () -> Tree, files: [String: String],
    _ change: (inout EdgeCase) -> Void = { _ in }
  ) {
    self.name = name
    self.base = base
    self.port = port
    self.files = files
    change(&self)
  }
}

/// What the two sides are.
enum SideKind: CaseIterable, Sendable {
  case folders
  case revisions
  case folderAndRevision
  case revisionAndFolder
}

/// Lines `1` to `count` of a text that no two files share.
func numbered(_ count: Int, _ mark: String = "line") -> String {
  (1...max(1, count)).prefix(count).map { "\(mark) number \($0);\n" }.joined()
}
