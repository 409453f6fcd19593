// Workflow commands that a CI runner turns into annotations on a pull request's lines. A runner
// shows ten of each level per step, so the gravest come first and the rest is counted.

import Audit

/// Renders an audit as GitHub workflow commands.
package struct GitHubReport {
  let result: AuditResult
  /// Annotations that are printed at most.
  static let limit = 50

  init(_ result: AuditResult) {
    self.result = result
  }

  func render() -> [UInt8] {
    var out = ByteBuffer(capacity: 1 << 14)
    var listed = 0
    var total = 0
    for need in [PortingNeed.replace, .silent, .emulated] {
      for image in result.images {
        for finding in image.findings where finding.need == need && isShown(finding) {
          total += 1
          guard listed < Self.limit else { continue }
          listed += 1
          out.line(command(finding, image))
        }
      }
    }
    let counts = result.images.map { NeedCounts($0.findings) }
    for (image, counts) in zip(result.images, counts) {
      var text = "\(image.path): \(grouped(counts.replace)) kill the guest, "
      text += "\(grouped(counts.silent)) lie silently, \(grouped(counts.emulated)) are emulated, "
      text += "\(grouped(counts.nothing)) ask nothing"
      out.line("::notice title=xenograft audit::" + Self.data(printable(text)))
    }
    if total > listed {
      let text = "\(grouped(total - listed)) more findings are not annotated"
      out.line("::notice title=xenograft audit::" + Self.data(text))
    }
    return out.bytes
  }

  /// Against a baseline only what is new concerns a pull request.
  private func isShown(_ finding: Finding) -> Bool {
    finding.suppression == nil && finding.baselineState != .known
  }

  private func command(_ finding: Finding, _ image: ImageResult) -> String {
    var properties: [String] = []
    if let place = finding.sourcePlace, place.line > 0 {
      properties.append("file=" + Self.property(printable(place.file)))
      properties.append("line=\(place.line)")
    }
    let title = result.rules[finding.rule]?.title ?? finding.rule
    properties.append("title=" + Self.property(printable("\(finding.rule): \(title)")))
    var text = "'\(finding.instruction)'"
    if let function = finding.shownFunction { text += " in \(function)" }
    text += " at \(Hex.address(finding.address)) of \(baseName(image.path)): "
    text += finding.need.clause(finding) + "."
    if let replacement = finding.replacement { text += " Write instead: \(replacement)." }
    let level = finding.need == .emulated ? "warning" : "error"
    return "::\(level) \(properties.joined(separator: ","))::" + Self.data(printable(text))
  }

  /// The message of a command, escaped as the runner wants it.
  package static func data(_ text: String) -> String {
    text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
  }

  /// A property of a command, escaped as the runner wants it.
  package static func property(_ text: String) -> String {
    data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
  }
}
