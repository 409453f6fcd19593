// The formats of a validation's report.

/// How a report is printed.
public enum ValidationFormat: String, Sendable, CaseIterable {
  case text
  case json
  case junit
  case tap
  case github
}

/// How a report looks.
public struct ValidationView: Sendable {
  /// For a terminal.
  public var usesColor = false
  /// Columns of the text.
  public var width = 100

  public init() {}
}

extension ValidationReport {
  /// The whole report, with a newline at its end.
  public func render(_ format: ValidationFormat, _ view: ValidationView = ValidationView())
    -> [UInt8]
  {
    switch format {
    case .text: Array(TextReport(report: self, view: view).text.utf8)
    case .json: json()
    case .junit: Array(JUnitReport(report: self).text.utf8)
    case .tap: Array(TAPReport(report: self).text.utf8)
    case .github: Array(GitHubAnnotations(report: self).text.utf8)
    }
  }
}
