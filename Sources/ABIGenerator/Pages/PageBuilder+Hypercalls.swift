// Pages of hypercalls and operations.

import ABISchema

extension PageBuilder {
  func hypercall(_ hypercall: Hypercall, _ level: Int, isFull: Bool) -> [Block] {
    var facts: [(label: String, text: String)] = [
      ("Number", number(hypercall.number)), ("Who may call", Self.caller(hypercall.caller)),
    ]
    if let before = hypercall.before { facts.append(("Before", before)) }
    if let returns = hypercall.returns { facts.append(("Returns", returns)) }
    if let preemption = hypercall.preemption { facts.append(("Preemption", preemption)) }
    var blocks = head(hypercall.entry, "hypercall", level, facts: facts)
    if hypercall.numberOnly { return blocks }
    if !hypercall.arguments.isEmpty {
      blocks.append(
        .table(
          header: ["argument", "x86_64", "x86_32", "type", "meaning"], rows: arguments(hypercall)))
    }
    if !hypercall.errors.isEmpty { blocks.append(errors(hypercall.errors)) }
    if !hypercall.operations.isEmpty {
      let rows = hypercall.operations.map {
        [
          String($0.number), $0.entry.name, $0.argument?.notation ?? "-",
          Self.short($0.caller), Prose.summary($0.entry.doc),
        ]
      }
      blocks.append(
        .table(header: ["number", "operation", "argument", "callers", "summary"], rows: rows))
    }
    blocks += examples(Examples(abi: abi).hypercall(hypercall), level + 1)
    if isFull {
      for operation in hypercall.operations {
        blocks += self.operation(operation, of: hypercall, level + 1, hasExamples: false)
      }
    }
    return blocks
  }

  func operation(
    _ operation: Operation, of hypercall: Hypercall, _ level: Int, hasExamples: Bool = true
  ) -> [Block] {
    var facts: [(label: String, text: String)] = [
      ("Operation", "\(operation.number) of \(hypercall.entry.name)"),
      ("Who may call", Self.caller(operation.caller)),
    ]
    if let only = operation.architecture { facts.append(("Only on", only.rawValue)) }
    if let alias = operation.alias { facts.append(("Another name of", alias)) }
    if let argument = operation.argument {
      let many = operation.isBatch ? "an array of " : ""
      facts.append(("Argument", "pointer to \(many)`\(argument.notation)`"))
    } else {
      facts.append(("Argument", "none; pass a null pointer"))
    }
    if let before = operation.before { facts.append(("Before", before)) }
    if let returns = operation.returns { facts.append(("Returns", returns)) }
    if let preemption = operation.preemption { facts.append(("Preemption", preemption)) }
    var blocks = head(operation.entry, "operation", level, facts: facts)
    if !operation.errors.isEmpty { blocks.append(errors(operation.errors)) }
    if hasExamples {
      if let name = operation.argument?.containedName, let structure = abi.structure(name) {
        blocks.append(.code(language: "text", lines: LayoutTable.draw(structure, in: abi)))
        blocks += fields(structure)
        blocks += values(structure, level + 1)
      }
      blocks += examples(Examples(abi: abi).operation(operation, of: hypercall), level + 1)
    }
    return blocks
  }

  private func errors(_ errors: [ErrorCase]) -> Block {
    .table(
      header: ["error", "when"],
      rows: errors.map { [$0.code.hasPrefix("E") ? "-" + $0.code : $0.code, Prose.line($0.when)] })
  }

  /// A row an argument, with its registers; 64 bits take two on x86_32.
  private func arguments(_ hypercall: Hypercall) -> [[String]] {
    let registers: [Architecture: [String]] = [
      .x86_64: ["rdi", "rsi", "rdx", "r10", "r8", "r9"],
      .x86_32: ["ebx", "ecx", "edx", "esi", "edi", "ebp"],
    ]
    let generator = Generator(abi: abi)
    var used: [Architecture: Int] = [:]
    return hypercall.arguments.map { argument in
      var row = [argument.name]
      for architecture in Architecture.allCases {
        guard argument.architecture == nil || argument.architecture == architecture,
          let names = registers[architecture]
        else {
          row.append("-")
          continue
        }
        let type = generator.resolved(argument.type)
        let isWide = [
          .integer(bits: 64, signed: false), .integer(bits: 64, signed: true), .aligned64,
        ]
        .contains(type)
        let count = isWide && architecture == .x86_32 ? 2 : 1
        let start = used[architecture, default: 0]
        row.append(names.dropFirst(start).prefix(count).joined(separator: ", "))
        used[architecture] = start + count
      }
      let values = argument.values.map { " Values: \($0)." } ?? ""
      return row + [argument.type.notation, (argument.doc ?? "") + values]
    }
  }

  static func caller(_ caller: Caller) -> String {
    switch caller {
    case .guest: "any guest"
    case .privileged: "guests with rights to hardware or to the other domain"
    case .domain0: "domain 0"
    case .hvm: "guests in hardware containers"
    }
  }

  private static func short(_ caller: Caller) -> String { caller.rawValue }
}
