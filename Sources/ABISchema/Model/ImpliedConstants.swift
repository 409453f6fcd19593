// Numbers that entries carry (hypercalls, operations, notes, states) are constants of C as well.
// Here they are gathered into groups, so that generators treat all constants alike.

extension Subject {
  /// The groups of constants that this subject's other entries define.
  public var impliedConstants: [ConstantGroup] {
    var groups: [ConstantGroup] = []
    if !hypercalls.isEmpty {
      let constants = hypercalls.map { hypercall in
        Constant(
          entry: renamed(hypercall.entry, "__HYPERVISOR_\(hypercall.entry.name)"),
          values: PerArchitecture(
            x86_64: hypercall.number.x86_64.map(ConstantValue.integer),
            x86_32: hypercall.number.x86_32.map(ConstantValue.integer)),
          cName: "__HYPERVISOR_\(hypercall.entry.name)", alias: nil, isMask: false)
      }
      groups.append(
        implied("\(name)-hypercalls", "Numbers of the hypercalls of this subject.", constants))
    }
    for hypercall in hypercalls where !hypercall.operations.isEmpty {
      let constants = hypercall.operations.map {
        let number = ConstantValue.integer($0.number)
        return Constant(
          entry: $0.entry,
          values: PerArchitecture(
            x86_64: $0.architecture == .x86_32 ? nil : number,
            x86_32: $0.architecture == .x86_64 ? nil : number),
          cName: $0.cName, alias: $0.alias, isMask: false)
      }
      groups.append(
        implied(
          "\(hypercall.entry.name)-operations", "Operations of \(hypercall.entry.name).", constants)
      )
    }
    if !notes.isEmpty {
      groups.append(
        implied(
          "\(name)-notes", "Types of the ELF notes of owner \"Xen\".",
          notes.map { plain($0.entry, $0.number) }))
    }
    if !states.isEmpty {
      groups.append(
        implied(
          "\(name)-states", "States of the protocol.", states.map { plain($0.entry, $0.value) }))
    }
    return groups
  }

  private func plain(_ entry: Entry, _ number: Int128) -> Constant {
    Constant(
      entry: entry, values: PerArchitecture(.integer(number)), cName: entry.name, alias: nil,
      isMask: false)
  }

  private func renamed(_ entry: Entry, _ name: String) -> Entry {
    var entry = entry
    entry.name = name
    return entry
  }

  private func implied(_ name: String, _ doc: String, _ constants: [Constant]) -> ConstantGroup {
    ConstantGroup(
      entry: Entry(
        name: name, doc: doc, source: entry.source, since: entry.since, isOwn: true,
        position: constants.first?.entry.position ?? entry.position),
      kind: .enum, type: .integer(bits: 32, signed: false), constants: constants)
  }
}
