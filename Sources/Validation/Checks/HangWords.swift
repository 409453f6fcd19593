// Where a guest hangs, in words: what its vcpu does, and the first place that is the guest's own.

import Harness

/// Words for a vcpu that did not come to its end.
struct HangWords {
  let vcpu: VCPUPlace

  private var places: [CodePlace] { [vcpu.place] + vcpu.backtrace }

  /// The innermost place with a source line, else the innermost with a name: above it is the hypercall
  /// by which the vcpu sleeps.
  var telling: CodePlace? {
    places.first { $0.line != nil } ?? places.first { $0.function != nil }
  }

  /// For a sentence.
  var text: String {
    "vcpu \(vcpu.vcpu) \(vcpu.state) at \(telling ?? vcpu.place)"
  }

  /// All that is known.
  var lines: [String] {
    ["vcpu \(vcpu.vcpu) is \(vcpu.state) at \(vcpu.place)"]
      + vcpu.backtrace.prefix(8).map { "  called from \($0)" }
  }
}
