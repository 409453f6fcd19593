// The addresses of kallsyms' names. Their place and form depend on Linux's version and
// configuration; each that has been used is tried, and the one is taken under which addresses
// ascend and functions lie in code.

/// Tries the forms in which kallsyms has stored addresses.
struct KallsymsAddresses {
  var names: KallsymsNames
  var tokens: KallsymsTokens
  var bytes: ImageBytes
  var word: Int
  var sections: [ImageSection]

  /// A form, and where its parts stand.
  private enum Form {
    /// Words that are addresses.
    case absolute(Int)
    /// Distances from a base (`CONFIG_KALLSYMS_BASE_RELATIVE`).
    case relative(Int, base: UInt64)
    /// The same; negative ones count from the base, others are addresses themselves
    /// (`CONFIG_KALLSYMS_ABSOLUTE_PERCPU`).
    case signed(Int, base: UInt64)
  }

  /// The functions of the table, or `nil` where no form fits.
  func symbols() -> [ImageSymbol]? {
    let finder = SectionFinder(sections)
    for form in forms() where fits(form, finder: finder) {
      return names.functions(tokens: tokens, in: bytes) { number in
        guard let address = address(of: number, in: form),
          let section = finder.section(of: address)
        else { return nil }
        return (address, section)
      }
    }
    return nil
  }

  private func forms() -> [Form] {
    var forms: [Form] = []
    func appendRelative(_ offset: Int, base: UInt64?) {
      guard let base else { return }
      forms.append(.signed(offset, base: base))
      forms.append(.relative(offset, base: base))
    }
    let size = (names.count * 4).aligned(to: word)
    // Up to Linux 6.3: before the count. From 6.4 on: behind the tokens.
    let before = names.countOffset - word
    appendRelative(before - size, base: loadWord(before))
    let behind = tokens.end.aligned(to: word)
    appendRelative(behind, base: loadWord(behind + size))
    forms.append(.absolute(names.countOffset - (names.count * word).aligned(to: word)))
    forms.append(.absolute(behind))
    return forms
  }

  private func loadWord(_ offset: Int) -> UInt64? {
    word == 8 ? bytes.load(offset) : bytes.load(offset, as: UInt32.self).map(UInt64.init)
  }

  private func address(of symbol: Int, in form: Form) -> UInt64? {
    switch form {
    case .absolute(let offset):
      return loadWord(offset + symbol * word)
    case .relative(let offset, let base):
      return bytes.load(offset + symbol * 4, as: UInt32.self).map { wrap(base &+ UInt64($0)) }
    case .signed(let offset, let base):
      guard let value: Int32 = bytes.load(offset + symbol * 4) else { return nil }
      if value >= 0 { return UInt64(value) }
      return wrap(base &+ UInt64(-1 - Int64(value)))
    }
  }

  /// An address of the machine's width.
  private func wrap(_ address: UInt64) -> UInt64 {
    word == 8 ? address : address & 0xffff_ffff
  }

  /// Addresses ascend over all symbols, and nine of ten functions lie in code.
  private func fits(_ form: Form, finder: SectionFinder) -> Bool {
    var last: UInt64 = 0
    var functions = 0
    var inCode = 0
    let isAscending = names.forEachLetter(tokens: tokens, in: bytes) { number, letter, _ in
      guard let address = address(of: number, in: form), address >= last else { return false }
      last = address
      guard KallsymsNames.isFunction(letter) else { return true }
      functions += 1
      if let section = finder.section(of: address), sections[section].isExecutable { inCode += 1 }
      return true
    }
    return isAscending && functions > 0 && inCode >= functions - functions / 10
  }
}
