// A kernel's kallsyms, made up: names packed into tokens, markers, addresses, in each order and
// form that Linux 5 and 6 have used.

struct KallsymsBuilder {
  enum Addresses: CaseIterable {
    case absolute
    case relative
    case signed
  }

  var is64 = true
  /// Linux 6.4 and later put the addresses last.
  var addressesLast = false
  var hasSequences = false
  var addresses = Addresses.signed
  var base: UInt64 = 0xffff_ffff_8100_0000
  /// The bytes before and behind the tables that are none of theirs.
  var padding = 4000
  /// Letter, name and address, by address.
  var symbols: [(letter: Character, name: String, address: UInt64)] = []

  /// `count` functions 16 bytes apart, with some data and per-CPU symbols among them.
  init(count: Int) {
    for number in 0..<count / 10 {
      symbols.append(("A", "percpu_\(number)", UInt64(number * 8)))
    }
    for number in 0..<count {
      let letter: Character = number % 3 == 0 ? "T" : number % 3 == 1 ? "t" : "W"
      let long = number % 50 == 49 ? String(repeating: "x", count: 200) : ""
      symbols.append((letter, "sys_call_\(number)\(long)", base + UInt64(number * 16)))
    }
    for number in 0..<count / 10 {
      symbols.append(("d", "data_\(number)", base + 0x20_0000 + UInt64(number * 8)))
    }
  }

  /// Moves everything to addresses of 32 bits.
  mutating func moveTo32Bit() {
    is64 = false
    let moved = base - 0xc100_0000
    base = 0xc100_0000
    for index in symbols.indices where symbols[index].address > moved {
      symbols[index].address -= moved
    }
  }

  /// The names of the functions, by address.
  var functions: [String] {
    symbols.filter { "tTwW".contains($0.letter) }.map(\.name)
  }

  /// Each byte stands for itself, but for these.
  static let tokens: [(UInt8, String)] = [(0x80, "sys_"), (0x81, "call_"), (0x00, "Tsys_")]

  /// The tables, with bytes before them that are none.
  func build() -> [UInt8] {
    var names = ByteWriter()
    var markers: [UInt32] = []
    for (number, symbol) in symbols.enumerated() {
      if number % 256 == 0 { markers.append(UInt32(names.count)) }
      let packed = Self.pack("\(symbol.letter)\(symbol.name)")
      if packed.count < 0x80 {
        names.put(UInt8(packed.count))
      } else {
        names.put([UInt8(packed.count & 0x7f | 0x80), UInt8(packed.count >> 7)])
      }
      names.put(packed)
    }
    var table = ByteWriter()
    var index = ByteWriter()
    for code in 0..<256 {
      index.put(UInt16(table.count))
      let token = Self.tokens.first { Int($0.0) == code }
      if let token { table.put(token.1) } else { table.put([UInt8(code == 0 ? 1 : code), 0]) }
    }
    let word = is64 ? 8 : 4
    var file = ByteWriter()
    for number in 0..<padding { file.put(UInt8(truncatingIfNeeded: number &* 37)) }
    func align() { file.pad(to: word) }
    align()
    if !addressesLast { putAddresses(to: &file) }
    align()
    file.put(UInt32(symbols.count))
    align()
    file.put(names.bytes)
    align()
    for marker in markers { file.put(marker) }
    align()
    if hasSequences && !addressesLast { file.put([UInt8](repeating: 3, count: symbols.count * 3)) }
    align()
    file.put(table.bytes)
    align()
    file.put(index.bytes)
    align()
    if addressesLast { putAddresses(to: &file) }
    align()
    if hasSequences && addressesLast { file.put([UInt8](repeating: 3, count: symbols.count * 3)) }
    file.put([UInt8](repeating: 0x41, count: padding))
    return file.bytes
  }

  private func putAddresses(to file: inout ByteWriter) {
    for symbol in symbols {
      switch addresses {
      case .absolute:
        file.putWord(symbol.address, is64: is64)
      case .relative:
        file.put(UInt32(truncatingIfNeeded: max(symbol.address, base) - base))
      case .signed:
        let isAbsolute = symbol.address < base
        file.put(
          isAbsolute
            ? Int32(symbol.address) : Int32(truncatingIfNeeded: -1 - Int64(symbol.address - base)))
      }
    }
    guard addresses != .absolute else { return }
    file.pad(to: is64 ? 8 : 4)
    file.putWord(base, is64: is64)
  }

  private static func pack(_ name: String) -> [UInt8] {
    var packed: [UInt8] = []
    var rest = name[...]
    while let first = rest.utf8.first {
      if let token = tokens.filter({ rest.hasPrefix($0.1) }).max(by: { $0.1.count < $1.1.count }) {
        packed.append(token.0)
        rest = rest.dropFirst(token.1.count)
      } else {
        packed.append(first)
        rest = rest.dropFirst()
      }
    }
    return packed
  }

  /// A stripped kernel that holds the tables.
  func kernel(tables: [UInt8]? = nil) -> [UInt8] {
    var builder = ElfBuilder()
    builder.is64 = is64
    builder.machine = is64 ? 62 : 3
    let code = [UInt8](repeating: 0x90, count: symbols.count * 16)
    builder.sections = [
      .init(name: ".text", flags: ElfBuilder.code, address: base, bytes: code),
      .init(
        name: ".rodata", flags: 3, address: base + 0x10_0000, bytes: tables ?? build()),
    ]
    return builder.build()
  }
}
