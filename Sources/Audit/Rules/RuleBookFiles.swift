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
