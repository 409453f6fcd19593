// Every name that an entry mentions is defined somewhere.

extension ABIChecker {
  func checkReferences() {
    let subjectNames = Set(subjects.map(\.name))
    for subject in subjects {
      for name in subject.includes where !subjectNames.contains(name) {
        sink.error(
          subject.entry.position, "unknown subject `\(name.excerpt)` in `include`",
          hint: NearNames.hint(name, in: subjectNames))
      }
      for group in subject.constants { checkType(group.type, group.entry.position) }
      for scalar in subject.types { checkType(scalar.type, scalar.entry.position) }
      for structure in subject.structures { checkFields(structure.fields) }
      for hypercall in subject.hypercalls { check(hypercall) }
      for ring in subject.rings {
        checkType(.named(ring.request), ring.entry.position)
        checkType(.named(ring.response), ring.entry.position)
      }
      let states = Set(subject.states.map(\.entry.name))
      for state in subject.states {
        for next in state.next where !states.contains(next) {
          sink.error(
            state.entry.position, "unknown state `\(next.excerpt)` in `next`",
            hint: NearNames.hint(next, in: states))
        }
      }
    }
  }

  private func checkFields(_ fields: [Field]) {
    for field in fields {
      checkGroup(field.values, field.position)
      switch field.content {
      case .type(let type): checkType(type, field.position)
      case .members(_, let inner): checkFields(inner)
      }
    }
  }

  private func check(_ hypercall: Hypercall) {
    for argument in hypercall.arguments {
      checkType(argument.type, argument.position)
      checkGroup(argument.values, argument.position)
    }
    for error in hypercall.errors { check(error) }
    for operation in hypercall.operations {
      checkType(operation.argument, operation.entry.position)
      for error in operation.errors { check(error) }
      if let alias = operation.alias {
        let original = hypercall.operations.first { $0.entry.name == alias }
        if original?.number != operation.number {
          sink.error(
            operation.entry.position,
            "expected `alias` to name an operation with the same number, found `\(alias)`",
            hint: NearNames.hint(alias, in: hypercall.operations.map(\.entry.name)))
        }
      }
    }
  }

  private func checkType(_ type: TypeReference?, _ position: SourcePosition) {
    guard let name = type?.definedName, structures[name] == nil, scalars[name] == nil else {
      return
    }
    sink.error(
      position, "unknown type `\(name.excerpt)`",
      hint: NearNames.hint(name, in: Array(structures.keys) + Array(scalars.keys)))
  }

  private func checkGroup(_ name: String?, _ position: SourcePosition) {
    guard let name, groups[name] == nil else { return }
    sink.error(
      position, "unknown group of constants `\(name.excerpt)` in `values`",
      hint: NearNames.hint(name, in: groups.keys))
  }

  /// Errors are constants; those of errno are written without their prefix.
  private func check(_ error: ErrorCase) {
    if constants[error.code] != nil || constants["XEN_" + error.code] != nil { return }
    sink.error(
      error.position, "unknown error `\(error.code.excerpt)`",
      hint: NearNames.hint("XEN_" + error.code, in: constants.keys))
  }

  /// Files contain each other's types in one direction only, because their headers include each other.
  func checkCycles() {
    var homes: [String: String] = [:]
    for subject in subjects {
      for structure in subject.structures { homes[structure.entry.name] = subject.name }
      for scalar in subject.types { homes[scalar.entry.name] = subject.name }
      for constant in subject.constants.flatMap(\.constants) {
        homes[constant.entry.name] = subject.name
      }
    }
    var edges: [String: Set<String>] = [:]
    for subject in subjects {
      let used = SubjectReferences(subject).contained.compactMap { homes[$0] }
      edges[subject.name] = Set(used).subtracting([subject.name])
    }
    var settled: Set<String> = []
    var open = subjects.map(\.name)
    while true {
      let ready = open.filter { edges[$0, default: []].isSubset(of: settled) }
      if ready.isEmpty { break }
      settled.formUnion(ready)
      open.removeAll(where: settled.contains)
    }
    for subject in subjects where open.contains(subject.name) {
      let others = edges[subject.name, default: []].intersection(open).sorted()
      sink.error(
        subject.entry.position,
        "expected files whose structures contain each other's types in one direction, found a "
          + "cycle through \(others.joined(separator: ", "))",
        hint: "move the types that both need into a file of their own")
    }
  }
}
