// The door of the module: one function renders an audit in any format. Each format has a folder
// beside this file. All of them are deterministic: the same result gives the same bytes.

public import Audit

/// The formats that an audit can be printed in.
public enum ReportFormat: String, Sendable, CaseIterable {
  /// For people at a terminal: the summary, then the details.
  case text
  /// The documented contract for scripts, `xenograft.audit/1`.
  case json
  /// SARIF 2.1.0, for code-scanning services and editors.
  case sarif
  /// A comment on a pull request, of bounded length.
  case markdown
  /// One self-contained page.
  case html
  /// RFC 4180, one line per finding.
  case csv
  /// Workflow commands that annotate a pull request's lines.
  case github
}

/// What a caller may choose about a rendering.
public struct RenderOptions: Sendable {
  /// Use colours (text only).
  public var color = false
  /// Columns of the terminal (text only); never less than 60.
  public var width = 100
  /// Leave the details out (text only).
  public var summaryOnly = false
  /// List every finding, also those that ask nothing of a porter, and all their frames and sites.
  public var verbose = false
  /// The tool's version, for formats that name it.
  public var toolVersion = "0.1.0"
  /// Where the guides stand on the web, ending in a slash; `nil` where they are only in the package.
  public var guideBase: String?

  public init() {}
}

/// Renders `result`, as UTF-8.
public func render(
  _ result: AuditResult, format: ReportFormat, options: RenderOptions = RenderOptions()
) -> [UInt8] {
  switch format {
  case .text: TextReport(result, options).render()
  case .json: JSONReport(result).render()
  case .sarif: SARIFReport(result, options).render()
  case .markdown: MarkdownReport(result).render()
  case .html: HTMLReport(result).render()
  case .csv: CSVReport(result).render()
  case .github: GitHubReport(result).render()
  }
}
