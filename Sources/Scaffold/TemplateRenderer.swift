// One template becomes one file. The one importer of Stencil.

import ABIGenerator
import ABISchema
import Stencil

/// Renders the templates of one request.
struct TemplateRenderer {
  private let environment = Environment()
  private let context: [String: Any]

  init(request: ScaffoldRequest, parts: [DriverPart]) {
    let sources = parts.map(\.path).filter { $0.hasSuffix(".c") }
    context = [
      "name": request.name,
      "kind": request.kind.rawValue,
      "language": request.language.rawValue,
      "arch": request.architecture.rawValue,
      "preset": request.preset.rawValue,
      "work": request.hasLife,
      "sources": sources,
      "headers": parts.map(\.path).filter { $0.hasPrefix("frontends/include/") },
      "has_bus": sources.contains { $0.hasSuffix("/xg_bus.c") },
      "has_grant": sources.contains { $0.hasSuffix("/xg_grant.c") },
    ]
  }

  /// The file that `template` of `folder` gives.
  func render(
    _ template: EmbeddedFile, in folder: String
  ) throws(ScaffoldError) -> GeneratedFile {
    let suffix = ".stencil"
    guard template.path.hasSuffix(suffix) else {
      return GeneratedFile(path: template.path, text: template.text)
    }
    do {
      var text = try environment.renderTemplate(string: template.text, context: context)
      // Stencil drops the last newline.
      if !text.hasSuffix("\n") { text += "\n" }
      return GeneratedFile(path: String(template.path.dropLast(suffix.count)), text: text)
    } catch {
      throw .template("\(folder)/\(template.path)", "\(error)")
    }
  }
}
