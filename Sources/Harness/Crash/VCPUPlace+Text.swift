// Where a guest hangs, in words: what its vcpu does, and the first place that is the guest's own.

extension VCPUPlace {
  /// The innermost place with a source line, else the innermost with a name: above it is the hypercall
  /// by which the vcpu sleeps.
  public var telling: CodePlace {
    let places = isInStub ? backtrace : [place] + backtrace
    return places.first { $0.line != nil } ?? places.first { $0.function != nil } ?? place
  }

  /// It sleeps in the hypercall page, 32 bytes for each hypercall, which somebody has called.
  private var isInStub: Bool {
    state == "blocked" && !backtrace.isEmpty
      && HypercallNames.name(of: (place.address & 0xfff) >> 5) == "sched_op"
  }

  /// All that is known, a line each.
  public var lines: [String] {
    ["vcpu \(vcpu) is \(state) at \(place)"] + backtrace.prefix(8).map { "  called from \($0)" }
  }
}
