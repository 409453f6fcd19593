// The HTML rendering: one page that needs no network. page.html, page.css and page.js beside this
// file are compiled into the program; the findings travel in the page as JSON.

import Audit

/// Renders an audit as a self-contained page.
struct HTMLReport {
  let result: AuditResult

  init(_ result: AuditResult) {
    self.result = result
  }

  func render() -> [UInt8] {
    var writer = HTMLData(result)
    let parts: [String: [UInt8]] = [
      "STYLE": PackageResources.page_css, "SCRIPT": PackageResources.page_js,
      "DATA": writer.json(),
    ]
    // The template's marks are looked for once, so that no mark in a name is ever taken for one.
    var page: [UInt8] = []
    let template = String(decoding: PackageResources.page_html, as: UTF8.self)
    for (index, piece) in template.split(separator: "@@", omittingEmptySubsequences: false)
      .enumerated()
    {
      page += index % 2 == 0 ? Array(piece.utf8) : parts[String(piece)] ?? []
    }
    return page
  }
}
