// The door of the renderings: one function for every format.

/// How a report is printed.
public enum EffortFormat: String, Sendable, CaseIterable {
  case text
  case markdown
  case json
  case csv
  case html
}

/// What a caller may choose about a rendering.
public struct EffortView: Sendable {
  public var count = CountKind.raw
  public var whitespace = Whitespace.ignore
  /// Print the paper's rows beside the port's.
  public var showsPaper = false

  public init() {}
}

extension EffortReport {
  /// The report as text in `format`.
  public func render(_ format: EffortFormat, _ view: EffortView) -> String {
    switch format {
    case .text: TextReport(self, view).render()
    case .markdown: MarkdownReport(self, view).render()
    case .json: JSONReport(self, view).render()
    case .csv: CSVReport(self, view).render()
    case .html: HTMLReport(self, view).render()
    }
  }
}
