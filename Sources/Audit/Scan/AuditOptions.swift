// What the user may ask of an audit.

public import KernelImage

/// How to audit images.
public struct AuditOptions: Sendable {
  /// What the kernel is to become; `nil` chooses by the image's width.
  public var target: Target?
  /// Threads that may work.
  public var jobs = 1
  public var open = OpenOptions()
  /// Folders with split debugging information, beside the system's own.
  public var debugRoots: [String] = []
  /// Look up functions, lines and inlined frames in DWARF.
  public var readsSource = true
  /// List encodings at offsets inside other instructions too.
  public var listsHidden = false
  /// Put the wall time of the scan into the result, which then differs from run to run.
  public var measuresTime = false

  public init() {}
}
