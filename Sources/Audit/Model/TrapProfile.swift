// What a traced run made of an instruction.

/// What a finding can come to in a run.
public enum TrapProfile: String, Sendable, CaseIterable, Codable {
  /// It trapped, and the hypervisor did it instead: right, and slow.
  case emulated
  /// It ran and was not emulated, and so the guest had the fault: without a handler for it, it is dead.
  case faulted
  /// It ran without a trap: what it gave was the wrong thing, or the hypervisor's.
  case silent
  /// The run never came by.
  case never

  /// In words.
  public var title: String {
    switch self {
    case .emulated: "ran and emulated"
    case .faulted: "ran and faulted"
    case .silent: "ran and silent"
    case .never: "never ran"
    }
  }
}

extension Finding {
  /// Outside ring 0 it faults, or a hypervisor emulates it.
  ///
  /// Not so transfers: an iret to the same ring is the processor's own.
  var faults: Bool { disposition != .silent && ruleClass != .transfer }

  /// A guest that comes by is heard of: the hypervisor emulates the instruction and counts it.
  var isHeard: Bool { disposition == .emulated && faults }

  /// It asks something of a port, and only a watch can tell for certain whether it ran: what is meant to
  /// be emulated may be refused as well.
  ///
  /// What is patched into other places is not watched: these hold other code until then.
  public var wantsWatch: Bool { need > .nothing && sites.isEmpty }
}
