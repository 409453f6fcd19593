// Draws the layout of a structure: a row a field, the offsets of both architectures beside each other.

public import ABISchema

/// Draws tables of text.
public enum LayoutTable {
  /// The layout of `structure`, in lines of text.
  public static func draw(_ structure: Structure, in abi: ABI) -> [String] {
    let architectures = Architecture.allCases.filter {
      abi.layout(structure.entry.name, $0) != nil
    }
    var rows: [[String]] = []
    let layouts = architectures.map { abi.layout(structure.entry.name, $0)?.fields ?? [] }
    collect(
      structure.fields, layouts.map { Placed(fields: $0, base: 0) }, depth: 0, architectures, abi,
      &rows)
    let header = ["field", "type"] + architectures.flatMap { _ in ["offset", "size"] }
    let total =
      ["", "in all"]
      + architectures.flatMap { architecture in
        ["", String(abi.layout(structure.entry.name, architecture)?.size ?? 0)]
      }
    return box(header, rows, total, architectures.map(\.rawValue))
  }

  /// Fields of one architecture and what their offsets count from.
  private struct Placed {
    var fields: [FieldLayout]
    var base: Int
  }

  private static func collect(
    _ fields: [Field], _ placed: [Placed], depth: Int, _ architectures: [Architecture], _ abi: ABI,
    _ rows: inout [[String]]
  ) {
    for (index, field) in fields.enumerated() {
      let places = placed.map { part in part.fields.first { $0.index == index } }
      var row = [String(repeating: "  ", count: depth) + (field.name ?? "(no name)"), type(field)]
      for (part, place) in zip(placed, places) {
        row.append(place.map { String(part.base + $0.offset) } ?? "-")
        row.append(place.map { String($0.size) } ?? "-")
      }
      rows.append(row)
      switch field.content {
      case .members(_, let inner):
        let next = zip(placed, places).map { part, place in
          Placed(fields: place?.members ?? [], base: part.base)
        }
        collect(inner, next, depth: depth + 1, architectures, abi, &rows)
      case .type(.named(let name)):
        // A structure inside is drawn in place; in an array it has a drawing of its own.
        guard let inner = abi.structure(name), depth < 4 else { continue }
        let next = zip(zip(placed, places), architectures).map { pair, architecture in
          Placed(
            fields: pair.1 == nil ? [] : abi.layout(name, architecture)?.fields ?? [],
            base: pair.0.base + (pair.1?.offset ?? 0))
        }
        collect(inner.fields, next, depth: depth + 1, architectures, abi, &rows)
      default: break
      }
    }
  }

  private static func type(_ field: Field) -> String {
    switch field.content {
    case .type(let type): (field.isPadding ? "padding " : "") + type.notation
    case .members(let kind, _): kind.rawValue
    }
  }

  private static func box(
    _ header: [String], _ rows: [[String]], _ total: [String], _ architectures: [String]
  ) -> [String] {
    var widths = header.map(\.count)
    for row in rows + [total] {
      for (column, cell) in row.enumerated() where column < widths.count {
        widths[column] = max(widths[column], cell.count)
      }
    }
    let rule = { (left: String, middle: String, right: String) in
      left + widths.map { String(repeating: "─", count: $0 + 2) }.joined(separator: middle) + right
    }
    let line = { (cells: [String]) in
      let padded = zip(cells, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
        return column < 2 ? " \(cell.0)\(space) " : " \(space)\(cell.0) "
      }
      return "│" + padded.joined(separator: "│") + "│"
    }
    let nameWidth = widths[0] + widths[1] + 5
    var banner = "│" + String(repeating: " ", count: nameWidth) + "│"
    for (index, architecture) in architectures.enumerated() {
      let room = widths[2 + index * 2] + widths[3 + index * 2] + 5
      banner +=
        " " + architecture + String(repeating: " ", count: max(0, room - architecture.count - 1))
      banner += "│"
    }
    var lines = [
      "┌" + String(repeating: "─", count: nameWidth) + "┬"
        + architectures.indices.map { index in
          String(repeating: "─", count: widths[2 + index * 2] + widths[3 + index * 2] + 5)
        }.joined(separator: "┬") + "┐",
      banner,
    ]
    lines.append(rule("├", "┬", "┤").replacingSecondRule(widths))
    lines.append(line(header))
    lines.append(rule("├", "┼", "┤"))
    lines += rows.map(line)
    lines.append(rule("├", "┼", "┤"))
    lines.append(line(total))
    lines.append(rule("└", "┴", "┘"))
    return lines
  }
}

extension String {
  /// The rule below the banner meets a line from above between the architectures' columns.
  fileprivate func replacingSecondRule(_ widths: [Int]) -> String {
    var characters = Array(self)
    var place = 0
    for (column, width) in widths.enumerated() {
      place += width + 3
      if column % 2 == 1, column < widths.count - 1, place < characters.count {
        characters[place] = "┼"
      }
    }
    return String(characters)
  }
}
