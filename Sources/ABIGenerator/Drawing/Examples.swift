// A few lines of C, Rust and Swift that use an entry, for `abi show` and the manual.

public import ABISchema

/// Writes the examples; the tests compile all of them.
public struct Examples {
  /// One language's lines.
  public struct Example: Sendable, Equatable {
    public var language: OutputLanguage
    public var lines: [String]
  }

  private let generator: Generator

  public init(abi: ABI) {
    generator = Generator(abi: abi)
  }

  /// An operation: fill its argument, call, look at the result.
  func operation(_ operation: Operation, of hypercall: Hypercall) -> [Example] {
    guard hypercall.hasWrapper, !hypercall.numberOnly,
      hypercall.arguments.allSatisfy({ $0.architecture == nil })
    else { return [] }
    return OutputLanguage.examples.map {
      Example(language: $0, lines: call(hypercall, operation, $0))
    }
  }

  /// A hypercall without operations.
  func hypercall(_ hypercall: Hypercall) -> [Example] {
    guard hypercall.hasWrapper, !hypercall.numberOnly else { return [] }
    if let first = hypercall.operations.first { return operation(first, of: hypercall) }
    guard hypercall.arguments.allSatisfy({ $0.architecture == nil }) else { return [] }
    return OutputLanguage.examples.map { Example(language: $0, lines: call(hypercall, nil, $0)) }
  }

  /// A structure: one of it, zeroed, with its first fields set.
  func structure(_ structure: Structure) -> [Example] {
    let c = CEmitter(generator: generator)
    let swift = SwiftEmitter(generator: generator)
    let name = structure.entry.name
    return [
      Example(
        language: .c,
        lines: ["\(c.tag(structure)) value;", "__builtin_memset(&value, 0, sizeof(value));"]),
      Example(language: .rust, lines: ["let value = xenabi::\(name)::zeroed();"]),
      Example(language: .swift, lines: ["let value = \(swift.cType(structure))()"]),
    ]
  }

  private func call(
    _ hypercall: Hypercall, _ operation: Operation?, _ language: OutputLanguage
  ) -> [String] {
    let name = hypercall.entry.name
    var lines: [String] = []
    var values: [String] = []
    var isCommandGiven = operation == nil
    for argument in hypercall.arguments {
      let pointee = pointee(argument, operation)
      if let pointee, lines.isEmpty {
        lines = declaration(pointee, language)
        // Some calls carry the command in the structure and not in a register.
        if !isCommandGiven, let operation, pointee.fields.first(where: { $0.name == "cmd" }) != nil
        {
          isCommandGiven = true
          lines.append(assignment(operation.entry.name, language))
        }
        values.append(pointer(language))
      } else if !isCommandGiven, isInteger(argument) {
        isCommandGiven = true
        values.append(command(operation?.entry.name ?? "", language))
      } else {
        values.append(plain(argument, isCount: !lines.isEmpty, language))
      }
    }
    let arguments = values.joined(separator: ", ")
    switch language {
    case .rust:
      lines.append(
        "let result = unsafe { xenabi::hypercall::\(RustEmitter.safe(name))(\(arguments)) };")
    case .swift: lines.append("let result = HYPERVISOR_\(name)(\(arguments))")
    default: lines.append("long result = HYPERVISOR_\(name)(\(arguments));")
    }
    return lines
  }

  /// The structure that an argument points to: its own, or for `void` the operation's.
  private func pointee(_ argument: HypercallArgument, _ operation: Operation?) -> Structure? {
    switch argument.type {
    case .handle(nil), .pointer:
      operation?.argument?.containedName.flatMap { generator.abi.structure($0) }
    case .handle(.named(let name)): generator.abi.structure(name)
    default: nil
    }
  }

  private func isInteger(_ argument: HypercallArgument) -> Bool {
    switch generator.resolved(argument.type) {
    case .integer, .long, .aligned64: true
    default: false
    }
  }

  private func assignment(_ name: String, _ language: OutputLanguage) -> String {
    switch language {
    case .rust: "op.cmd = xenabi::\(name) as _;"
    case .swift: "op.cmd = numericCast(\(name))"
    default: "op.cmd = \(name);"
    }
  }

  private func declaration(_ structure: Structure, _ language: OutputLanguage) -> [String] {
    switch language {
    case .rust: ["let mut op = xenabi::\(structure.entry.name)::zeroed();"]
    case .swift: ["var op = \(SwiftEmitter(generator: generator).cType(structure))()"]
    default:
      [
        "\(CEmitter(generator: generator).tag(structure)) op;",
        "__builtin_memset(&op, 0, sizeof(op));",
      ]
    }
  }

  private func command(_ name: String, _ language: OutputLanguage) -> String {
    switch language {
    case .rust: "xenabi::\(name) as _"
    case .swift: "numericCast(\(name))"
    default: name
    }
  }

  private func pointer(_ language: OutputLanguage) -> String {
    switch language {
    case .rust: "&mut op as *mut _ as *mut _"
    default: "&op"
    }
  }

  private func plain(
    _ argument: HypercallArgument, isCount: Bool, _ language: OutputLanguage
  ) -> String {
    switch generator.resolved(argument.type) {
    case .pointer, .handle:
      switch language {
      case .rust: "core::ptr::null_mut()"
      case .swift: "nil"
      default: "0"
      }
    default: isCount && argument.name.contains("count") ? "1" : "0"
    }
  }
}

extension OutputLanguage {
  static let examples: [Self] = [.c, .rust, .swift]

  /// The word after the fence of a Markdown listing, and the heading in text.
  public var title: String {
    switch self {
    case .c: "C"
    case .rust: "Rust"
    case .swift: "Swift"
    default: rawValue
    }
  }
}
