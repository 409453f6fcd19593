// The whole interface: subjects in order, indexes by name, and the layouts of all structures.

/// One file of abi/.
public struct Subject: Sendable, Equatable {
  /// The file's name without `.yaml`.
  public var entry: Entry
  public var title: String
  public var file: String
  public var includes: [String]
  public var topics: [Topic] = []
  public var constants: [ConstantGroup] = []
  public var types: [ScalarType] = []
  public var structures: [Structure] = []
  public var hypercalls: [Hypercall] = []
  public var rings: [Ring] = []
  public var notes: [ELFNote] = []
  public var keys: [XenstoreKey] = []
  public var states: [ProtocolState] = []
  public var protocols: [ProtocolReference] = []

  public var name: String { entry.name }
}

/// The interface, checked.
public struct ABI: Sendable {
  /// In order of their names.
  public let subjects: [Subject]
  /// Every structure that exists for an architecture, by name.
  public let layouts: [Architecture: [String: StructureLayout]]

  private let structuresByName: [String: Structure]
  private let typesByName: [String: ScalarType]
  private let constantsByName: [String: Constant]
  private let subjectsByDefinition: [String: String]

  init(subjects: [Subject], layouts: [Architecture: [String: StructureLayout]]) {
    self.subjects = subjects
    self.layouts = layouts
    var structures: [String: Structure] = [:]
    var types: [String: ScalarType] = [:]
    var constants: [String: Constant] = [:]
    var homes: [String: String] = [:]
    for subject in subjects {
      for structure in subject.structures {
        structures[structure.entry.name] = structure
        homes[structure.entry.name] = subject.name
      }
      for type in subject.types {
        types[type.entry.name] = type
        homes[type.entry.name] = subject.name
      }
      for constant in (subject.constants + subject.impliedConstants).flatMap(\.constants) {
        let name = constant.entry.name
        constants[name] = constants[name]?.merged(with: constant) ?? constant
        homes[constant.entry.name] = subject.name
      }
    }
    structuresByName = structures
    typesByName = types
    constantsByName = constants
    subjectsByDefinition = homes
  }

  public func structure(_ name: String) -> Structure? { structuresByName[name] }
  public func scalar(_ name: String) -> ScalarType? { typesByName[name] }
  public func constant(_ name: String) -> Constant? { constantsByName[name] }

  /// The subject that defines a structure, scalar or constant.
  public func home(of name: String) -> String? { subjectsByDefinition[name] }

  /// The layout of a structure, `nil` where the architecture does not have it.
  public func layout(_ name: String, _ architecture: Architecture) -> StructureLayout? {
    layouts[architecture]?[name]
  }

  public var structures: [Structure] { subjects.flatMap(\.structures) }
  public var hypercalls: [Hypercall] { subjects.flatMap(\.hypercalls) }
  public var constantGroups: [ConstantGroup] { subjects.flatMap(\.constants) }
  public var scalars: [ScalarType] { subjects.flatMap(\.types) }
  public var rings: [Ring] { subjects.flatMap(\.rings) }

  /// The elements of an array type; `nil` where the count is flexible or unknown.
  public func count(_ count: ArrayCount, on architecture: Architecture) -> Int? {
    switch count {
    case .literal(let number): number
    case .constant(let name):
      constantsByName[name]?.values[architecture]?.integer.flatMap { Int(exactly: $0) }
    case .flexible: nil
    }
  }
}
