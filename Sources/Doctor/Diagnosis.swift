// What an examination finds: things there and missing, and what can be done with them.

import Harness

/// The state of a machine.
public struct Diagnosis: Sendable {
  /// A thing, there or not.
  struct Thing: Sendable {
    let need: Need
    var state: State
    var path: String?
    var version: Version?
    /// How it was found, or what is wrong with it.
    var note: String?
    /// Debian's packages that would help.
    var packages: [String] = []
  }

  /// Whether a thing can be used.
  enum State: String, Sendable {
    case found
    case missing
    /// There, and too old.
    case unfit
    /// Nobody can say, on this system.
    case unknown

    /// What needs it cannot be done.
    var isLacking: Bool { self == .missing || self == .unfit }
  }

  /// An activity, possible or not.
  struct Outcome: Sendable {
    let activity: Activity
    /// What it lacks; empty where it can be done.
    let lacking: [Need]
    /// What it has to do without.
    let notes: [String]
  }

  var version = ""
  var system = ""
  var processors = 0
  var things: [Thing] = []
  var outcomes: [Outcome] = []
  var acceleration = HardwareAcceleration.noDevice
  var memory: (total: UInt64, available: UInt64)?
  /// Folders with the bytes that are free there.
  var disks: [(path: String, use: String, free: UInt64)] = []

  /// Main commands that cannot be used.
  public var impossible: [String] {
    outcomes.filter { $0.activity.isMain && !$0.lacking.isEmpty }.map(\.activity.name)
  }

  /// The state of `need`.
  func thing(_ need: Need) -> Thing? { things.first { $0.need == need } }

  /// Debian's packages that are missing for anything, each once.
  var packagesToInstall: [String] {
    var names: [String] = []
    for name in things.filter(\.state.isLacking).flatMap(\.packages) where !names.contains(name) {
      names.append(name)
    }
    return names
  }
}
