// The table of the paper: Barham et al., "Xen and the Art of Virtualization", SOSP 2003. Its metric is
// lines of reasonably commented and formatted code modified or added compared with the original x86
// code base, device drivers excluded.

/// A port of the paper.
public struct PaperPort: Sendable, Equatable {
  public var name: String
  /// One value for each row of the table, `nil` where the paper has a dash.
  public var lines: [Int?]
  public var total: Int
  /// Per cent of the x86 code base, in hundredths.
  public var portion: Int

  /// The rows that are printed beside a port's.
  public static let all = [
    Self(name: "Linux 2003", lines: [78, 484, 1_070, 1_363], total: 2_995, portion: 136),
    Self(name: "XP 2003", lines: [1_299, nil, nil, 3_321], total: 4_620, portion: 4),
  ]

  /// The portion as the paper prints it.
  public var portionText: String {
    let fraction = portion % 100
    return "\(portion / 100).\(fraction < 10 ? "0" : "")\(fraction) %"
  }
}
