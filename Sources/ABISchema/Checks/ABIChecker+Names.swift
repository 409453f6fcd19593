// Names and numbers that must be unique.

extension ABIChecker {
  /// Every name is defined once: C has one space for constants and one for types and tags.
  func checkNames() {
    var subjectNames: [String: SourcePosition] = [:]
    var values: [Architecture: [String: SourcePosition]] = [:]
    var types: [String: SourcePosition] = [:]
    var groupNames: [String: SourcePosition] = [:]
    var hypercallNames: [String: SourcePosition] = [:]
    var other: [String: SourcePosition] = [:]
    for subject in subjects {
      claim(subject.name, subject.entry.position, in: &subjectNames)
      for group in subject.constants {
        claim(group.entry.name, group.entry.position, in: &groupNames)
      }
      for group in subject.constants + subject.impliedConstants {
        for constant in group.constants {
          for architecture in constant.values.architectures {
            claim(
              constant.entry.name, constant.entry.position, in: &values[architecture, default: [:]])
          }
        }
      }
      for type in subject.types { claim(type.entry.name, type.entry.position, in: &types) }
      for structure in subject.structures {
        claim(structure.entry.name, structure.entry.position, in: &types)
        if let typedef = structure.typedef, typedef != structure.entry.name {
          claim(typedef, structure.entry.position, in: &types)
        }
        checkFieldNames(structure)
      }
      for hypercall in subject.hypercalls {
        claim(hypercall.entry.name, hypercall.entry.position, in: &hypercallNames)
        var arguments: [String: SourcePosition] = [:]
        for argument in hypercall.arguments {
          claim(argument.name, argument.position, in: &arguments)
        }
      }
      for topic in subject.topics { claim(topic.name, topic.position, in: &other) }
      for ring in subject.rings {
        claim("ring \(ring.entry.name)", ring.entry.position, in: &other)
      }
      for key in subject.keys {
        claim("\(key.side) key \(key.path)", key.entry.position, in: &other)
      }
    }
  }

  private func claim(
    _ name: String, _ position: SourcePosition, in taken: inout [String: SourcePosition]
  ) {
    if let first = taken[name] {
      sink.error(
        position, "expected each name once, found `\(name)` again; it is defined at \(at(first))",
        hint: "rename or remove one of the two")
    } else {
      taken[name] = position
    }
  }

  private func checkFieldNames(_ structure: Structure) {
    for architecture in Architecture.allCases {
      checkFieldNames(structure.fields, architecture)
    }
  }

  private func checkFieldNames(_ fields: [Field], _ architecture: Architecture) {
    var taken: [String: SourcePosition] = [:]
    func walk(_ fields: [Field]) {
      for field in fields where field.architecture == nil || field.architecture == architecture {
        if let name = field.name { claim(name, field.position, in: &taken) }
        if case .members(_, let inner) = field.content {
          // Members of a field without a name belong to the outer structure.
          if field.name == nil { walk(inner) } else { checkFieldNames(inner, architecture) }
        }
      }
    }
    walk(fields)
  }

  /// Numbers that select something are unique among their kind.
  func checkNumbers() {
    let hypercalls = subjects.flatMap(\.hypercalls)
    for architecture in Architecture.allCases {
      checkUnique(
        hypercalls.compactMap { hypercall in
          hypercall.number[architecture].map {
            Numbered(number: $0, name: hypercall.entry.name, position: hypercall.entry.position)
          }
        }, "hypercall", canAlias: false)
    }
    for hypercall in hypercalls {
      let operations = hypercall.operations.filter { $0.alias == nil }
      for architecture in Architecture.allCases {
        checkUnique(
          operations.filter { $0.architecture == nil || $0.architecture == architecture }.map {
            Numbered(number: $0.number, name: $0.entry.name, position: $0.entry.position)
          }, "operation of \(hypercall.entry.name)", canAlias: true)
      }
    }
    checkUnique(
      subjects.flatMap(\.notes).map {
        Numbered(number: $0.number, name: $0.entry.name, position: $0.entry.position)
      }, "ELF note", canAlias: false)
    for subject in subjects {
      checkUnique(
        subject.states.map {
          Numbered(number: $0.value, name: $0.entry.name, position: $0.entry.position)
        }, "state", canAlias: false)
    }
  }

  struct Numbered {
    var number: Int128
    var name: String
    var position: SourcePosition
  }

  func checkUnique(_ entries: [Numbered], _ what: String, canAlias: Bool) {
    var taken: [Int128: Numbered] = [:]
    for entry in entries {
      if let first = taken[entry.number] {
        sink.error(
          entry.position,
          "expected a number of its own for \(what) `\(entry.name)`, found \(entry.number), "
            + "which `\(first.name)` has at \(at(first.position))",
          hint: canAlias ? "if it is a second name, write alias: \(first.name)" : nil)
      } else {
        taken[entry.number] = entry
      }
    }
  }
}
