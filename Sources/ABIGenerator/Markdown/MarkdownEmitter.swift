// The manual: a page a subject, an index, and tables of hypercalls by number and of all names.

import ABISchema

/// Emits the manual.
struct MarkdownEmitter {
  let generator: Generator
  var abi: ABI { generator.abi }

  func files() -> [GeneratedFile] {
    var files = abi.subjects.map {
      GeneratedFile(path: "\($0.name).md", text: mark($0.name) + page($0))
    }
    files.append(GeneratedFile(path: "README.md", text: mark(nil) + index()))
    files.append(GeneratedFile(path: "names.md", text: mark(nil) + names()))
    return files
  }

  private func mark(_ subject: String?) -> String { "<!-- \(generator.origin(subject)) -->\n\n" }

  private func index() -> String {
    var blocks: [Block] = [
      .heading(1, "The Xen PV interface"),
      .markdown(
        "Every hypercall, structure, constant, ring and key that a PV guest or a driver of domain 0 "
          + "uses, of Xen 4.17's public interface, for x86_64 and x86_32 (PAE).\n\n"
          + "Look names up in [names.md](names.md), or ask the command: `xenograft abi show NAME`, "
          + "`xenograft abi find NUMBER|TEXT`."),
      .heading(2, "Subjects"),
    ]
    blocks.append(
      .markdown(
        abi.subjects.map {
          "- [\(Prose.line($0.title))](\($0.name).md): \(Prose.summary($0.entry.doc))"
        }.joined(separator: "\n")))
    blocks.append(.heading(2, "Hypercalls by number"))
    var rows = "| number | hypercall | callers | summary |\n|---|---|---|---|\n"
    let builder = PageBuilder(abi)
    let all = abi.subjects.flatMap { subject in subject.hypercalls.map { (subject.name, $0) } }
      .sorted { ($0.1.number.any ?? 0, $0.1.entry.name) < ($1.1.number.any ?? 0, $1.1.entry.name) }
    for (subject, hypercall) in all {
      let anchor = Self.anchor("\(hypercall.entry.name) (hypercall)")
      rows += "| \(builder.number(hypercall.number)) "
      rows +=
        "| [`\(hypercall.entry.name)`](\(subject).md#\(anchor)) | \(hypercall.caller.rawValue) "
      rows += "| \(Prose.summary(hypercall.entry.doc).replacing("|", with: "\\|")) |\n"
    }
    blocks.append(.markdown(rows))
    return MarkdownRenderer.render(blocks)
  }

  private func names() -> String {
    var rows = ""
    for entry in Catalog(abi).entries.sorted(by: { ($0.name, $0.subject) < ($1.name, $1.subject) })
    {
      rows +=
        "- `\(entry.name)` (\(entry.kind.rawValue), [\(entry.subject)](\(entry.subject).md))\n"
    }
    return MarkdownRenderer.render([.heading(1, "All names"), .markdown(rows)])
  }

  private func page(_ subject: Subject) -> String {
    let builder = PageBuilder(abi)
    var blocks: [Block] = [
      .heading(1, Prose.line(subject.title)), .paragraph(subject.entry.doc),
      .paragraph("Source: \(subject.entry.source)."),
    ]
    for topic in subject.topics { blocks += builder.topic(topic, 2) }
    for hypercall in subject.hypercalls { blocks += builder.hypercall(hypercall, 2, isFull: true) }
    for ring in subject.rings { blocks += builder.ring(ring, 2) }
    for structure in subject.structures {
      blocks += builder.structure(structure, 2, hasExamples: false)
    }
    for scalar in subject.types { blocks += builder.scalar(scalar, 2) }
    for group in subject.constants { blocks += builder.group(group, 2) }
    for note in subject.notes { blocks += builder.note(note, 2) }
    if !subject.keys.isEmpty {
      blocks.append(.heading(2, "Keys in xenstore"))
      for key in subject.keys { blocks += builder.key(key, 3) }
    }
    if !subject.states.isEmpty {
      blocks.append(.heading(2, "States"))
      for state in subject.states { blocks += builder.state(state, 3) }
    }
    for reference in subject.protocols { blocks += builder.head(reference.entry, "protocol", 2) }
    return MarkdownRenderer.render(blocks)
  }

  /// The anchor that a heading gets.
  static func anchor(_ heading: String) -> String {
    heading.lowercased().map { $0 == " " ? "-" : String($0) }.joined()
      .filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
  }
}
