// From files to a checked interface. All files are read and all checks run before anything is
// refused, so that one run shows everything that is wrong.

import Foundation

/// A data file: its name for messages, and its text.
public struct ABISource: Sendable, Equatable {
  public var file: String
  public var text: String

  public init(file: String, text: String) {
    self.file = file
    self.text = text
  }
}

/// What reading the data gave.
public struct ABILoadResult: Sendable {
  /// `nil` where a diagnostic is an error.
  public var abi: ABI?
  /// By file and line.
  public var diagnostics: [Diagnostic]

  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

/// Reads and checks abi/.
public enum ABILoader {
  /// More files than this are not a folder of subjects.
  private static let largestFileCount = 500

  /// Reads and checks the given files.
  public static func load(_ sources: [ABISource]) -> ABILoadResult {
    let sink = DiagnosticSink()
    let subjects =
      sources.sorted { $0.file < $1.file }
      .compactMap { SubjectReader.read($0.text, file: $0.file, into: sink) }
    let layouts = ABIChecker(subjects: subjects, sink: sink).run()
    let diagnostics = sink.sorted
    let isSound = !diagnostics.contains { $0.severity == .error }
    return ABILoadResult(
      abi: isSound ? ABI(subjects: subjects, layouts: layouts) : nil, diagnostics: diagnostics)
  }

  /// Reads the `.yaml` files of a folder; `display` is the folder's name in messages.
  public static func read(folder: String, display: String) -> ([ABISource], [Diagnostic]) {
    let start = SourcePosition(file: display, line: 1, column: 1)
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasSuffix(".yaml") }.sorted()
    } catch {
      return (
        [], [Diagnostic(at: start, "expected a folder of .yaml files, found none that can be read")]
      )
    }
    guard !names.isEmpty, names.count <= largestFileCount else {
      return (
        [],
        [
          Diagnostic(
            at: start, "expected 1 to \(largestFileCount) .yaml files, found \(names.count)")
        ]
      )
    }
    var sources: [ABISource] = []
    var diagnostics: [Diagnostic] = []
    for name in names {
      let place = SourcePosition(file: display + "/" + name, line: 1, column: 1)
      let attributes = try? FileManager.default.attributesOfItem(atPath: folder + "/" + name)
      let size = (attributes?[.size] as? NSNumber)?.intValue ?? 0
      guard size <= YAMLLimits.bytes else {
        diagnostics.append(
          Diagnostic(
            at: place, "expected at most \(YAMLLimits.bytes) bytes, found \(size) bytes"))
        continue
      }
      guard let data = FileManager.default.contents(atPath: folder + "/" + name),
        let text = String(validating: data, as: UTF8.self)
      else {
        diagnostics.append(
          Diagnostic(at: place, "expected UTF-8 text, found a file that cannot be read as such"))
        continue
      }
      sources.append(ABISource(file: display + "/" + name, text: text))
    }
    return (sources, diagnostics)
  }

  /// Reads and checks a folder.
  public static func load(folder: String, display: String) -> ABILoadResult {
    let (sources, diagnostics) = read(folder: folder, display: display)
    if !diagnostics.isEmpty { return ABILoadResult(abi: nil, diagnostics: diagnostics) }
    return load(sources)
  }

  /// The interface as it was when this program was built.
  public static func embedded() -> ABILoadResult { load(EmbeddedABI.sources) }
}
