// The report as one page that needs nothing else.

/// Renders HTML.
struct HTMLReport {
  let report: EffortReport
  let view: EffortView

  init(_ report: EffortReport, _ view: EffortView) {
    self.report = report
    self.view = view
  }

  func render() -> String {
    let table = EffortTable(report, view)
    let notes = EffortNotes(report, view)
    let title = "Effort of \(printable(report.portName)) over \(printable(report.baseName))"
    var html = htmlHead(title)
    html += "<table>\n<tr>" + table.head.map { "<th>\(htmlText($0))</th>" }.joined() + "</tr>\n"
    for row in table.rows {
      let cells = row.cells.map { "<td>\(htmlText($0))</td>" }.joined()
      html += "<tr class=\"\(row.kind)\">\(cells)</tr>\n"
    }
    html += "</table>\n<h2>How it was counted</h2>\n<ul>\n"
    for note in notes.method { html += "<li>\(htmlText(note))</li>\n" }
    html += "</ul>\n"
    for list in notes.lists {
      html += "<details><summary>\(htmlText(list.heading)): \(list.paths.count)</summary>\n<ul>\n"
      for path in list.paths { html += "<li><code>\(htmlText(printable(path)))</code></li>\n" }
      html += "</ul></details>\n"
    }
    html += "<h2>Files</h2>\n<table>\n<tr><th>File</th><th>from</th><th>section</th>"
    html += "<th>added</th><th>modified</th><th>removed</th><th>lines</th></tr>\n"
    for file in report.files {
      let change = file.changes[view.whitespace][view.count]
      let from = file.basePath == file.path ? "" : file.basePath ?? "new"
      let cells =
        [printable(file.path), printable(from), file.section]
        + [change.added, change.modified, change.removed, change.lines].map(grouped)
      html += "<tr>" + cells.map { "<td>\(htmlText($0))</td>" }.joined() + "</tr>\n"
    }
    return html + "</table>\n</html>\n"
  }
}

/// Everything before a page's contents.
func htmlHead(_ title: String) -> String {
  """
  <!doctype html>
  <html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>\(htmlText(title))</title>
  <style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
    color-scheme: light dark; color: CanvasText; background: Canvas }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums }
  th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #8884 }
  th:first-child, td:first-child { text-align: left }
  tr.total td { font-weight: bold; border-top: 2px solid }
  tr.portion td { font-weight: bold; border-bottom: 2px solid }
  tr.other td { opacity: .75 }
  code { overflow-wrap: anywhere }
  </style>
  <h1>\(htmlText(title))</h1>

  """
}

/// Text that a page shows as it is.
func htmlText(_ text: String) -> String {
  var result = ""
  for character in text.unicodeScalars {
    switch character {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    default: result.unicodeScalars.append(character)
    }
  }
  return result
}
