// Reads every table of an image once and puts into words what could not be believed.

import KernelImage

/// All tables of one image.
struct PatchTables {
  let alternatives: Alternatives
  let paravirt: CodeSites
  let exceptions: CodeSites
  let jumpLabels: CodeSites
  let staticCalls: CodeSites
  let remarks: [String]

  init(locator: TableLocator) {
    let width = locator.image.width
    var remarks: [String] = []

    let found = locator.tables(
      section: ".altinstructions", start: "__alt_instructions", end: "__alt_instructions_end")
    let alternatives = Alternatives(merging: found.map { Alternatives(table: $0) })
    if alternatives.layout == nil, found.contains(where: { $0.bytes.count > 0 }) {
      remarks.append(".altinstructions has no layout that is known; its code counts as present")
    } else if alternatives.ignored > 0 {
      remarks.append(Self.ignored(alternatives.ignored, in: ".altinstructions"))
    }

    func sites(_ name: String, _ tables: [PatchTable], _ read: (PatchTable) -> CodeSites)
      -> CodeSites
    {
      let result = CodeSites(merging: tables.map(read))
      if result.ignored > 0 { remarks.append(Self.ignored(result.ignored, in: name)) }
      return result
    }

    paravirt = sites(
      ".parainstructions",
      locator.tables(
        section: ".parainstructions", start: "__parainstructions",
        end: "__parainstructions_end")
    ) { .paravirt($0, width: width) }
    self.alternatives = alternatives.marking(paravirt)

    exceptions = sites(
      "__ex_table",
      locator.tables(
        section: "__ex_table", start: "__start___ex_table", end: "__stop___ex_table")
    ) { .exceptions($0) }

    var jumpTables = locator.tables(
      section: "__jump_table", start: "__start___jump_table", end: "__stop___jump_table")
    var callTables = locator.tables(
      section: ".static_call_sites", start: "__start_static_call_sites",
      end: "__stop_static_call_sites")
    if jumpTables.isEmpty || callTables.isEmpty {
      let found = locator.discover()
      if jumpTables.isEmpty, let table = found.jumpLabels { jumpTables = [table] }
      if callTables.isEmpty, let table = found.staticCalls { callTables = [table] }
    }
    jumpLabels = sites("__jump_table", jumpTables) {
      .jumpLabels($0, width: width, code: locator.code)
    }
    staticCalls = sites(".static_call_sites", callTables) {
      .staticCalls($0, code: locator.code)
    }

    self.remarks = remarks
  }

  /// How many entries each table gave.
  var counts: TableCounts {
    var counts = TableCounts()
    counts.alternatives = alternatives.entries.count
    counts.replacements = alternatives.entries.count { $0.replacement != nil }
    counts.nativeReplacements = alternatives.entries.count { $0.feature.side == .native }
    counts.paravirtSites = paravirt.count
    counts.exceptions = exceptions.count
    counts.jumpLabels = jumpLabels.count
    counts.staticCalls = staticCalls.count
    return counts
  }

  private static func ignored(_ count: Int, in table: String) -> String {
    let what = count == 1 ? "1 entry does" : "\(count) entries do"
    return "\(table): \(what) not lead to code and \(count == 1 ? "is" : "are") left out"
  }
}
