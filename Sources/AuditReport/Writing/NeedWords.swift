// The words for what a finding asks of a porter, in one place so that every format says the same.

import Audit

extension PortingNeed {
  /// The word that the reports use.
  var label: String {
    switch self {
    case .replace: "replace"
    case .silent: "silent"
    case .emulated: "emulated"
    case .nothing: "nothing"
    }
  }

  /// The heading over the findings of this need.
  var title: String {
    switch self {
    case .replace: "Kills the guest"
    case .silent: "Lies silently"
    case .emulated: "Emulated, slowly"
    case .nothing: "Nothing to port"
    }
  }

  /// What the word means, for a line in a summary.
  var sentence: String {
    switch self {
    case .replace: "kill the guest: they must be replaced"
    case .silent: "run, give a wrong result and say nothing"
    case .emulated: "are emulated by the hypervisor: right, and slow"
    case .nothing: "ask nothing of a port"
    }
  }

  /// What becomes of one finding, for the middle of a sentence.
  func clause(_ finding: Finding) -> String {
    switch self {
    case .replace: "it kills the guest and must be replaced"
    case .silent: "it runs, gives a wrong result and says nothing"
    case .emulated: "the hypervisor emulates it, which is right, and slow"
    case .nothing:
      if finding.liveness == .nativeOnly {
        "it stands on the native side of a paravirtual alternative, and asks nothing of a port"
      } else if finding.disposition == .unreachable {
        "it stands in code that a guest never reaches"
      } else {
        "it is allowed as it is"
      }
    }
  }

  /// The level of an annotation, as SARIF names it.
  var level: String {
    switch self {
    case .replace, .silent: "error"
    case .emulated: "warning"
    case .nothing: "note"
    }
  }
}

extension Liveness {
  /// The words that the reports use.
  var label: String {
    switch self {
    case .always: "always present"
    case .nativeOnly: "native only"
    case .featureGated: "feature-gated"
    }
  }
}
