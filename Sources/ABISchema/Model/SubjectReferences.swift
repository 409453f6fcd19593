// Which names a subject needs from others: those whose layout it contains, and those it points to.

/// The names that a subject's structures and scalars mention.
public struct SubjectReferences: Sendable {
  /// Types that are contained by value, and constants that count elements.
  public private(set) var contained: Set<String> = []
  /// Types that only pointers mention.
  public private(set) var pointedTo: Set<String> = []

  public init(_ subject: Subject) {
    for scalar in subject.types { add(scalar.type) }
    for structure in subject.structures { add(structure.fields) }
  }

  private mutating func add(_ fields: [Field]) {
    for field in fields {
      switch field.content {
      case .type(let type): add(type)
      case .members(_, let inner): add(inner)
      }
    }
  }

  private mutating func add(_ type: TypeReference) {
    switch type {
    case .named(let name): contained.insert(name)
    case .handle(let inner): if let name = inner?.definedName { pointedTo.insert(name) }
    case .array(let element, let count):
      add(element)
      if case .constant(let name) = count { contained.insert(name) }
    default: break
    }
  }
}
