// The history as a drawing: one band for each section, the commits from left to right.

extension EffortHistory {
  private static let width = 960
  private static let height = 420
  private static let left = 80
  private static let right = 300
  private static let top = 40
  private static let bottom = 60
  /// Colours that are told apart by people who see few (Okabe and Ito 2008).
  private static let colors = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442",
  ]

  /// The history as SVG.
  public func svg(_ view: EffortView) -> String {
    let values = points.map { point in
      point.changes.map { max(0, $0[view.whitespace][view.count].lines) }
    }
    let most = Self.ceiling(values.map { $0.reduce(0, +) }.max() ?? 0)
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.width) \(Self.height)" \
      width="\(Self.width)" height="\(Self.height)" font-family="sans-serif" font-size="12">
      <rect width="100%" height="100%" fill="#fff"/>
      <text x="\(Self.left)" y="24" font-size="15">\(htmlText(title(view)))</text>

      """
    for step in 0...4 {
      let value = most * step / 4
      let y = Self.y(value, most)
      svg += """
        <path d="M\(Self.left) \(y)H\(Self.width - Self.right)" stroke="#ddd"/>
        <text x="\(Self.left - 8)" y="\(y + 4)" text-anchor="end">\(grouped(value))</text>

        """
    }
    for section in sections.indices {
      let color = Self.colors[section % Self.colors.count]
      svg += "<path fill=\"\(color)\" d=\"\(band(section, values, most))\"/>\n"
      let y = Self.top + 20 * section
      let x = Self.width - Self.right + 20
      svg += "<rect x=\"\(x)\" y=\"\(y)\" width=\"12\" height=\"12\" fill=\"\(color)\"/>\n"
      let last = values.last.map { grouped($0[section]) } ?? "0"
      svg +=
        "<text x=\"\(x + 18)\" y=\"\(y + 11)\">\(htmlText(sections[section])): \(last)</text>\n"
    }
    let y = Self.height - Self.bottom + 20
    if let first = points.first, let last = points.last {
      svg += "<text x=\"\(Self.left)\" y=\"\(y)\">\(Self.date(first.time))</text>\n"
      svg += "<text x=\"\(Self.width - Self.right)\" y=\"\(y)\" text-anchor=\"end\">"
      svg += "\(Self.date(last.time))</text>\n"
    }
    return svg + "</svg>\n"
  }

  private func title(_ view: EffortView) -> String {
    "Lines added or modified (\(view.count.rawValue)), \(printable(base)) to \(printable(port)), "
      + counted(points.count, "commit")
  }

  /// The outline of a section's band: its upper edge to the right, its lower edge back.
  private func band(_ section: Int, _ values: [[Int]], _ most: Int) -> String {
    guard !values.isEmpty else { return "" }
    var upper: [String] = []
    var lower: [String] = []
    for (index, value) in values.enumerated() {
      let below = value[..<section].reduce(0, +)
      let x = Self.x(index, values.count)
      upper.append("\(x) \(Self.y(below + value[section], most))")
      lower.append("\(x) \(Self.y(below, most))")
    }
    // One commit is a line's width.
    if values.count == 1 {
      let x = Self.width - Self.right
      upper.append("\(x) \(Self.y(values[0][...section].reduce(0, +), most))")
      lower.append("\(x) \(Self.y(values[0][..<section].reduce(0, +), most))")
    }
    return "M" + (upper + lower.reversed()).joined(separator: "L") + "Z"
  }

  private static func x(_ index: Int, _ count: Int) -> Int {
    left + (width - left - right) * index / max(1, count - 1)
  }

  private static func y(_ value: Int, _ most: Int) -> Int {
    let room = height - top - bottom
    return top + room - Int(Double(room) * Double(value) / Double(most))
  }

  /// A round number above, which four lines divide.
  private static func ceiling(_ value: Int) -> Int {
    var power = 1
    while power < 1_000_000_000_000 {
      for factor in [4, 8, 12, 20] where factor * power >= value { return factor * power }
      power *= 10
    }
    return max(1, value)
  }
}
