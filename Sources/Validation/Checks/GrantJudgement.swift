// Whether a guest has taken back what it granted, by Rootstock's count at its end.

import Harness

/// Judges by what is left over.
struct GrantJudgement {
  let run: BootRun
  let boot: BootResult
  /// Whose grants are counted.
  let subject: Int

  /// Whether at most so many grants are left.
  func judge(_ most: Int) -> CheckOutcome {
    guard run.request.hypervisor == .rootstock else {
      return .skipped("stock Xen does not tell what a guest has left granted")
    }
    guard let record = boot.grants.last(where: { $0.domain == subject }) else {
      return .skipped("the guest did not end, so that nothing was counted")
    }
    if let missing = missingFrames { return .failed(missing) }
    if let torn = Self.torn(record) { return torn }
    guard record.granted <= most, record.mapped <= most else {
      var found: [String] = []
      if record.granted > most {
        let page = record.page.map { " for the page at \($0)" } ?? ""
        found.append(
          "\(record.granted), the first with reference \(record.first)\(page), \(record.used) of them in use"
        )
      }
      if record.mapped > most { found.append("\(record.mapped) mapped of others'") }
      return .failed(
        "expected \(most == 0 ? "no" : "at most \(most)") grants left at the guest's end, found "
          + found.joined(separator: "; "),
        places: Self.places(record.granted > most ? record.page : nil))
    }
    return .passed(
      record.granted + record.mapped == 0 ? "none is left" : "\(record.granted) are left")
  }

  /// Grants that the guest ended while others used them, which is never right; `nil` for none.
  static func torn(_ record: GrantRecord) -> CheckOutcome? {
    guard record.torn > 0 else { return nil }
    let page = record.tornPage.map { ", the first for the page at \($0)" } ?? ""
    return .failed(
      "expected grants that end when nobody uses them, found \(record.torn) ended while others used them\(page)",
      places: places(record.tornPage))
  }

  private static func places(_ page: DataPlace?) -> [CheckPlace] {
    page.map {
      [CheckPlace(address: $0.address, function: $0.variable, file: nil, line: nil)]
    } ?? []
  }

  /// What Rootstock's last line says of the machine's frames, where they are not all back.
  private var missingFrames: String? {
    guard let line = run.seen.log.lines.last(where: { $0.contains(": balance: ") }) else {
      return nil
    }
    let fields = line.split(separator: " ").compactMap { word -> (Substring, Substring)? in
      let pair = word.split(separator: "=")
      return pair.count == 2 ? (pair[0], pair[1]) : nil
    }
    let before = fields.first { $0.0 == "free-before" }?.1
    let after = fields.first { $0.0 == "free-after" }?.1
    guard let before, let after, before != after else { return nil }
    return "expected all \(before) free frames back at the end, found \(after)"
  }
}
