// Runs a line program (DWARF 5, 6.2.5) for the addresses that are wanted. Rows are not kept: each is
// compared with the next wanted address and forgotten.

/// File and line of one address.
struct DwarfRow {
  var file: UInt64
  var line: UInt64
}

/// The registers of the line machine, and the row before.
private struct LineMachine {
  /// The addresses that are wanted, in order.
  let wanted: ArraySlice<UInt64>
  var rows: [DwarfRow?]
  var address: UInt64 = 0
  var file: UInt64 = 1
  var line: UInt64 = 1
  private var previous: (address: UInt64, row: DwarfRow)?
  /// Wanted addresses that were passed, for the limit on all work.
  var steps = 0
  /// The first wanted address at or after the row before.
  private var next: Int
  private var nextAddress: UInt64 = .max

  init(wanted: ArraySlice<UInt64>) {
    self.wanted = wanted
    next = wanted.endIndex
    rows = Array(repeating: nil, count: wanted.count)
  }

  /// Begins a sequence.
  mutating func reset() {
    address = 0
    file = 1
    line = 1
    previous = nil
  }

  /// Appends a row: the row before holds up to its address.
  @inline(__always)
  mutating func appendRow(endsSequence: Bool = false) {
    if let before = previous {
      if address > nextAddress, address > before.address {
        settle(before.row)
      } else if address < before.address {
        find(address)
      }
    } else {
      find(address)
    }
    previous = (address, DwarfRow(file: file, line: line))
    if endsSequence { reset() }
  }

  /// Gives the row to the wanted addresses below the current one.
  ///
  /// Where sequences overlap, the first one has it.
  private mutating func settle(_ row: DwarfRow) {
    while next < wanted.endIndex, wanted[next] < address {
      let index = next - wanted.startIndex
      if rows[index] == nil { rows[index] = row }
      next += 1
      steps += 1
    }
    nextAddress = next < wanted.endIndex ? wanted[next] : .max
  }

  private mutating func find(_ address: UInt64) {
    steps += 16
    next = wanted.firstIndex(notBelow: address)
    nextAddress = next < wanted.endIndex ? wanted[next] : .max
  }
}

extension DwarfLineTable {
  /// The rows that hold for addresses in ascending order.
  func rows(
    for wanted: ArraySlice<UInt64>, in reader: DwarfReader
  ) throws(ImageError) -> [DwarfRow?] {
    try reader.charge(program.count)
    let section = reader.file.lines
    var cursor = DwarfCursor(
      UnsafeRawBufferPointer(rebasing: section.bytes[..<program.upperBound]),
      at: program.lowerBound)
    var machine = LineMachine(wanted: wanted)
    // Without a range, special opcodes cannot say anything.
    let range = max(lineRange, 1)
    while !cursor.isAtEnd, !cursor.failed {
      // Sequences may cover the same addresses again and again.
      if machine.steps > 0x1_0000 {
        try reader.charge(machine.steps)
        machine.steps = 0
      }
      let opcode = Int(cursor.u8())
      if opcode >= opcodeBase {
        let adjusted = opcode - opcodeBase
        machine.address &+= UInt64(adjusted / range) &* minimumLength
        machine.line &+= UInt64(bitPattern: Int64(lineBase + adjusted % range))
        machine.appendRow()
        continue
      }
      switch opcode {
      case 0: runExtended(&cursor, &machine, section)
      case 1: machine.appendRow()  // copy
      case 2: machine.address &+= cursor.uleb() &* minimumLength  // advance_pc
      case 3: machine.line &+= UInt64(bitPattern: cursor.sleb())  // advance_line
      case 4: machine.file = cursor.uleb()  // set_file
      case 5, 12: _ = cursor.uleb()  // set_column, set_isa
      case 6, 7, 10, 11: break  // negate_stmt, set_basic_block, set_prologue_end, …
      case 8:  // const_add_pc
        machine.address &+= UInt64((255 - opcodeBase) / range) &* minimumLength
      case 9: machine.address &+= UInt64(cursor.u16())  // fixed_advance_pc
      default:
        for _ in 0..<operandCounts[opcode - 1] { _ = cursor.uleb() }
      }
    }
    guard !cursor.failed else {
      throw reader.file.malformed(
        "a whole line program at .debug_line offset \(program.lowerBound)",
        "an instruction beyond its end")
    }
    return machine.rows
  }

  private func runExtended(
    _ cursor: inout DwarfCursor, _ machine: inout LineMachine, _ section: DwarfSection
  ) {
    let length = cursor.uleb()
    let start = cursor.offset
    guard length > 0 else { return }
    switch cursor.u8() {
    case 1: machine.appendRow(endsSequence: true)  // end_sequence
    case 2:  // set_address
      let place = cursor.offset
      let width = length == 5 ? 4 : length == 9 ? 8 : addressSize
      machine.address = section.resolve(cursor.unsigned(size: width), at: place)
    default: break
    }
    cursor.seek(to: start)
    cursor.skip(length)
  }
}

extension ArraySlice<UInt64> {
  /// The first position whose element is `value` or more; the elements ascend.
  func firstIndex(notBelow value: UInt64) -> Int {
    var low = startIndex
    var high = endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
