// Runs every check over all subjects and computes the layouts that ABI carries.

/// The checks, and the indexes that they share.
struct ABIChecker {
  let subjects: [Subject]
  let sink: DiagnosticSink
  let structures: [String: Structure]
  let scalars: [String: ScalarType]
  let constants: [String: Constant]
  let groups: [String: ConstantGroup]

  init(subjects: [Subject], sink: DiagnosticSink) {
    self.subjects = subjects
    self.sink = sink
    structures = Self.index(subjects.flatMap(\.structures), \.entry.name)
    scalars = Self.index(subjects.flatMap(\.types), \.entry.name)
    let all = subjects.flatMap { $0.constants + $0.impliedConstants }
    constants = Dictionary(
      all.flatMap(\.constants).map { ($0.entry.name, $0) },
      uniquingKeysWith: { $0.merged(with: $1) })
    groups = Self.index(all, \.entry.name)
  }

  private static func index<Value>(
    _ values: [Value], _ name: KeyPath<Value, String>
  ) -> [String: Value] {
    Dictionary(values.map { ($0[keyPath: name], $0) }, uniquingKeysWith: { first, _ in first })
  }

  func run() -> [Architecture: [String: StructureLayout]] {
    checkNames()
    checkNumbers()
    checkConstants()
    checkReferences()
    checkCycles()
    var layouts: [Architecture: [String: StructureLayout]] = [:]
    for architecture in Architecture.allCases {
      layouts[architecture] = checkLayouts(architecture)
    }
    checkStreams()
    return layouts
  }

  func at(_ position: SourcePosition) -> String { "\(position.file):\(position.line)" }
}
