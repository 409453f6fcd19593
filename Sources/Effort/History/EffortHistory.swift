// How a port's effort grew, commit by commit.

/// The effort at each first-parent commit from the base to the port.
public struct EffortHistory: Sendable {
  /// The effort at one commit.
  public struct Point: Sendable, Equatable {
    public var commit: String
    /// Seconds since 1970, as the commit states them.
    public var time: Int
    public var subject: String
    /// One value for each of the history's sections.
    public var changes: [PerWhitespace<ChangeCounts>]

    /// Added and modified lines of all sections.
    public func total(_ count: CountKind, _ mode: Whitespace) -> Int {
      changes.reduce(0) { $0 + $1[mode][count].lines }
    }
  }

  public var base: String
  public var port: String
  /// The sections of the total, in the report's order.
  public var sections: [String]
  public var points: [Point]
  public var baseLines: LineCounts

  /// One line for each commit, RFC 4180.
  public func csv(_ view: EffortView) -> String {
    var lines = [
      (["commit", "date"] + sections + ["total", "portion", "subject"]).map(csvField)
        .joined(separator: ",")
    ]
    for point in points {
      let total = point.total(view.count, view.whitespace)
      let base = baseLines[view.count]
      let fields =
        [point.commit, Self.date(point.time)]
        + point.changes.map { "\($0[view.whitespace][view.count].lines)" }
        + ["\(total)", base == 0 ? "" : "\(Double(total) / Double(base))", point.subject]
      lines.append(fields.map(csvField).joined(separator: ","))
    }
    return lines.joined(separator: "\r\n") + "\r\n"
  }

  /// `2003-03-01`, in UTC, by the calendar's own arithmetic (days since 1970 to a date).
  static func date(_ seconds: Int) -> String {
    // Far beyond any date that git writes.
    let limited = min(max(seconds, -62_135_596_800), 253_402_300_799)
    let days = (limited - (limited % 86_400 + 86_400) % 86_400) / 86_400 + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }
}
