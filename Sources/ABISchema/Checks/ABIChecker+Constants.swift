// Constants fit their type; values of an enumeration differ; flags do not overlap.

extension ABIChecker {
  func checkConstants() {
    for group in subjects.flatMap(\.constants) {
      for constant in group.constants { checkRange(constant, group) }
      for constant in group.constants { checkAlias(constant) }
      for architecture in Architecture.allCases {
        switch group.kind {
        case .enum:
          checkUnique(
            group.constants.filter { $0.alias == nil }.compactMap { constant in
              constant.values[architecture]?.integer.map {
                Numbered(
                  number: $0, name: constant.entry.name, position: constant.entry.position)
              }
            }, "constant", canAlias: true)
        case .flags: checkFlags(group, architecture)
        case .values, .strings: break
        }
      }
    }
  }

  private func checkRange(_ constant: Constant, _ group: ConstantGroup) {
    for architecture in Architecture.allCases {
      guard let number = constant.values[architecture]?.integer,
        let range = range(of: group.type, architecture)
      else { continue }
      if !range.contains(number) {
        sink.error(
          constant.entry.position,
          "expected `\(constant.entry.name)` to fit \(group.type?.notation ?? "its type"), "
            + "found \(number)", hint: "widen the group's `type`")
        return
      }
    }
  }

  private func range(
    of type: TypeReference?, _ architecture: Architecture, depth: Int = 0
  ) -> ClosedRange<Int128>? {
    switch type {
    case .integer(let bits, let signed): return integers(bits, signed)
    case .aligned64: return integers(64, false)
    case .char: return integers(8, true)
    case .long(let signed): return integers(architecture.wordSize * 8, signed)
    case .pointer, .handle: return integers(architecture.wordSize * 8, false)
    case .named(let name):
      return depth < 8 ? range(of: scalars[name]?.type, architecture, depth: depth + 1) : nil
    case .array, nil: return nil
    }
  }

  private func integers(_ bits: Int, _ signed: Bool) -> ClosedRange<Int128> {
    let half = Int128(1) << Int128(bits - 1)
    return signed ? -half...(half - 1) : 0...(half * 2 - 1)
  }

  private func checkAlias(_ constant: Constant) {
    guard let name = constant.alias else { return }
    guard let original = constants[name] else {
      sink.error(
        constant.entry.position, "unknown constant `\(name)` as `alias`",
        hint: NearNames.hint(name, in: constants.keys))
      return
    }
    if original.values != constant.values {
      sink.error(
        constant.entry.position,
        "expected `\(constant.entry.name)` to have the value of `\(name)`, found another")
    }
  }

  private func checkFlags(_ group: ConstantGroup, _ architecture: Architecture) {
    var taken: [(bits: UInt64, name: String)] = []
    for constant in group.constants where !constant.isMask && constant.alias == nil {
      guard let number = constant.values[architecture]?.integer else { continue }
      let bits = UInt64(truncatingIfNeeded: number)
      if let other = taken.first(where: { $0.bits & bits != 0 }) {
        sink.error(
          constant.entry.position,
          "expected flags without common bits, found `\(constant.entry.name)` to overlap "
            + "`\(other.name)`",
          hint: "a value that covers several flags says mask: true; a second name, alias:")
      }
      taken.append((bits, constant.entry.name))
    }
  }
}
