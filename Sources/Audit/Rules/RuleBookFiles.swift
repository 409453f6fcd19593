// From rules/*.yaml in a checkout to the files that are generated from them. `xenograft rules generate`
// writes them; a test compares them with what is committed.

public import Foundation

extension RuleBook {
  /// A generated file: its path in the repository and its text.
  public struct GeneratedFile: Sendable, Equatable {
    public var path: String
    public var text: String
  }

  /// Reads every file of rules in the folder `rules` of the checkout at `root`.
  ///
  /// - Throws: ``RuleFileError`` where the folder or a file cannot be read, or with the faults of the files.
  public static func load(checkout root: URL) throws(RuleFileError) -> RuleBook {
    let folder = root.appending(path: "rules", directoryHint: .isDirectory)
    var files: [(file: String, yaml: String)] = []
    for name in try names(in: folder) {
      let file = "rules/\(name)"
      guard let data = try? Data(contentsOf: folder.appending(path: name)),
        let text = String(bytes: data, encoding: .utf8)
      else {
        throw RuleFileError(diagnostics: [
          RuleDiagnostic(
            file: file, line: 0, column: 0, expected: "a readable file in UTF-8",
            found: "none at this path")
        ])
      }
      files.append((file, text))
    }
    return try load(files)
  }

  /// The files that are generated from the rules.
  public func generatedFiles() -> [GeneratedFile] {
    [
      GeneratedFile(path: Self.embeddingPath, text: embedding()),
      GeneratedFile(path: RuleReference.path, text: RuleReference.markdown(self)),
    ]
  }

  /// Brings the generated files of the checkout at `root` up to date, and gives the paths of those that were not.
  ///
  /// With `checkOnly` nothing is written. Each file is written to a temporary name and renamed.
  ///
  /// - Throws: ``RuleFileError`` with the faults of the rules, or with the file that cannot be written.
  public static func generate(
    checkout root: URL, checkOnly: Bool = false
  ) throws(RuleFileError) -> [String] {
    var stale: [String] = []
    for file in try load(checkout: root).generatedFiles() {
      let place = root.appending(path: file.path)
      if (try? Data(contentsOf: place)) == Data(file.text.utf8) { continue }
      stale.append(file.path)
      if checkOnly { continue }
      do {
        try FileManager.default.createDirectory(
          at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(file.text.utf8).write(to: place, options: .atomic)
      } catch {
        throw RuleFileError(diagnostics: [
          RuleDiagnostic(
            file: file.path, line: 0, column: 0, expected: "a file that can be written",
            found: error.localizedDescription)
        ])
      }
    }
    return stale
  }

  private static func names(in folder: URL) throws(RuleFileError) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let files = names.filter { $0.hasSuffix(".yaml") }.sorted()
    if files.isEmpty {
      throw RuleFileError(diagnostics: [
        RuleDiagnostic(
          file: folder.path, line: 0, column: 0, expected: "a folder with files *.yaml",
          found: "none", hint: "run this in a checkout of xenograft")
      ])
    }
    return files
  }
}
