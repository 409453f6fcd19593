import Testing
import X86

@Suite struct StoreInstructionTests {
  private func decode(_ bytes: [UInt8], is32Bit: Bool = false) -> (
    store: StoreInstruction, length: Int
  )? {
    var low: UInt64 = 0
    var high: UInt64 = 0
    for (index, byte) in bytes.prefix(15).enumerated() {
      if index < 8 { low |= UInt64(byte) << UInt64(index * 8) }
      if index >= 8 { high |= UInt64(byte) << UInt64(index * 8 - 64) }
    }
    guard
      var instruction = InstructionBytes(
        FetchedBytes(low: low, high: high, count: bytes.count), is32Bit: is32Bit),
      let store = StoreInstruction(&instruction)
    else { return nil }
    return (store, instruction.length)
  }

  private func address(_ store: StoreInstruction, next: UInt64 = 0) -> UInt64 {
    store.operand.address(registers: { UInt64($0 + 1) << 12 }, next: next)
  }

  @Test func moves_haveTheirWidths() throws {
    // mov %al,(%rdi); mov %ah,(%rdi); mov %sil,(%rdi)
    #expect(try #require(decode([0x88, 0x07])).store.byteCount == 1)
    #expect(try #require(decode([0x88, 0x27])).store.isHighByte)
    let low = try #require(decode([0x40, 0x88, 0x37])).store
    #expect(!low.isHighByte && low.register == 6)
    #expect(try #require(decode([0x66, 0x89, 0x07])).store.byteCount == 2)
    #expect(try #require(decode([0x89, 0x07])).store.byteCount == 4)
    let wide = try #require(decode([0x4d, 0x89, 0x07]))
    #expect(wide.store.byteCount == 8 && wide.store.register == 8 && wide.length == 3)
    // movq $-1,(%rdi); movw $0x1234,(%rdi)
    let immediate = try #require(decode([0x48, 0xc7, 0x07, 0xff, 0xff, 0xff, 0xff]))
    #expect(immediate.store.immediate == .max && immediate.length == 7)
    let short = try #require(decode([0x66, 0xc7, 0x07, 0x34, 0x12]))
    #expect(short.store.immediate == 0x1234 && short.length == 5)
  }

  @Test func addresses_areComputed() throws {
    #expect(address(try #require(decode([0x89, 0x07])).store) == 8 << 12)
    #expect(address(try #require(decode([0x89, 0x47, 0xf8])).store) == 8 << 12 - 8)
    #expect(address(try #require(decode([0x41, 0x89, 0x87, 0, 1, 0, 0])).store) == 16 << 12 + 256)
    // mov %eax,0x10(%rdi,%rcx,8); mov %eax,(%r13 with SIB); mov %eax,0x20 absolute
    #expect(
      address(try #require(decode([0x89, 0x44, 0xcf, 0x10])).store)
        == 8 << 12 + (2 << 12) * 8 + 16)
    #expect(address(try #require(decode([0x41, 0x89, 0x44, 0x25, 0])).store) == 14 << 12)
    #expect(address(try #require(decode([0x89, 0x04, 0x25, 0x20, 0, 0, 0])).store) == 0x20)
    // Relative to the next instruction.
    let relative = try #require(decode([0x89, 0x05, 0x10, 0, 0, 0]))
    #expect(address(relative.store, next: 0x1000) == 0x1010 && relative.length == 6)
  }

  @Test func accumulator_isStoredAtAnAddressInTheInstruction() throws {
    let wide = try #require(decode([0x48, 0xa3, 8, 7, 6, 5, 4, 3, 2, 1]))
    #expect(wide.store.operation == .move && wide.store.byteCount == 8 && wide.length == 10)
    #expect(wide.store.register == 0 && address(wide.store) == 0x0102_0304_0506_0708)
    #expect(try #require(decode([0xa2, 8, 7, 6, 5, 4, 3, 2, 1])).store.byteCount == 1)
    let narrow = try #require(decode([0xa3, 4, 3, 2, 0xc1], is32Bit: true))
    #expect(narrow.store.byteCount == 4 && narrow.length == 5)
    #expect(UInt32(truncatingIfNeeded: address(narrow.store)) == 0xc102_0304)
    #expect(try #require(decode([0x66, 0xa3, 4, 3, 2, 1], is32Bit: true)).store.byteCount == 2)
    #expect(decode([0x48, 0xa3, 8, 7, 6, 5, 4, 3, 2]) == nil, "cut short")
    #expect(decode([0xa3, 4, 3, 2], is32Bit: true) == nil, "cut short")
    #expect(decode([0xf0, 0xa3, 4, 3, 2, 1], is32Bit: true) == nil, "locked")
    #expect(decode([0xf3, 0xa3, 4, 3, 2, 1], is32Bit: true) == nil, "repeated")
  }

  @Test func narrowCode_hasNoPrefixesOf64Bits() throws {
    // mov %eax,0x20: an address where 64-bit code has a distance.
    let absolute = try #require(decode([0x89, 0x05, 0x20, 0, 0, 0], is32Bit: true))
    #expect(address(absolute.store, next: 0x1000) == 0x20 && absolute.length == 6)
    // dec %eax where 64-bit code has REX.W; mov %ah,(%edi) with a prefix for ES.
    #expect(decode([0x48, 0x89, 0x07], is32Bit: true) == nil)
    #expect(try #require(decode([0x26, 0x88, 0x27], is32Bit: true)).store.isHighByte)
    #expect(try #require(decode([0x0f, 0xc3, 0x07], is32Bit: true)).store.byteCount == 4)
    let pair = try #require(decode([0xf0, 0x0f, 0xc7, 0x0f], is32Bit: true))
    #expect(pair.store.operation == .compareExchange8 && pair.store.byteCount == 8)
  }

  @Test func groups_haveTheirOperations() throws {
    #expect(try #require(decode([0x48, 0x83, 0x27, 0xfd])).store.operation == .modify(.and))
    #expect(try #require(decode([0x48, 0x83, 0x27, 0xfd])).store.immediate == ~2)
    #expect(
      try #require(decode([0xf0, 0x48, 0x0f, 0xba, 0x37, 1])).store.operation == .modify(.resetBit))
    #expect(try #require(decode([0x48, 0x0f, 0xab, 0x07])).store.operation == .modify(.setBit))
    #expect(try #require(decode([0x0f, 0xab, 0x07])).store.byteCount == 4)
    #expect(try #require(decode([0x48, 0xff, 0x07])).store.operation == .modify(.increment))
    #expect(try #require(decode([0xf6, 0x17])).store.operation == .modify(.invert))
    #expect(
      try #require(decode([0xf0, 0x48, 0x0f, 0xb1, 0x0f])).store.operation == .compareExchange)
    #expect(try #require(decode([0xf0, 0x0f, 0xc7, 0x0f])).store.byteCount == 8)
    #expect(try #require(decode([0xf3, 0x48, 0xab])).store.isRepeated)
    #expect(try #require(decode([0x48, 0x0f, 0xc3, 0x07])).store.operation == .move)
  }

  @Test(arguments: [
    [0x48, 0x89, 0xc7],  // mov to a register
    [0x48, 0x8b, 0x07],  // a load
    [0x48, 0x39, 0x07],  // cmp
    [0x48, 0x83, 0x3f, 0],  // cmp with an immediate
    [0x48, 0x0f, 0xc7, 0x0f],  // cmpxchg16b
    [0x67, 0x89, 0x07],  // 32-bit address
    [0xf0, 0x89, 0x07],  // lock mov
    [0xf3, 0x89, 0x07],  // xrelease mov
    [0x48, 0x0f, 0xba, 0x27, 1],  // bt
    [0xf6, 0x07, 1],  // test
    [0xff, 0x37],  // push
    [0x48, 0xc7, 0x07, 0xff],  // cut short
    [0x66, 0x0f, 0x7f, 0x07],  // movdqa
  ])
  func others_areNotDecoded(_ bytes: [UInt8]) {
    #expect(decode(bytes) == nil)
  }

  @Test func bitNumbers_reachBeyondTheOperand() throws {
    let store = try #require(decode([0x48, 0x0f, 0xab, 0x07])).store
    #expect(store.bitOffset(registers: { _ in 63 }) == 0)
    #expect(store.bitOffset(registers: { _ in 64 }) == 8)
    #expect(store.bitOffset(registers: { _ in UInt64(bitPattern: -1) }) == UInt64(bitPattern: -8))
  }

  @Test func randomBytes_neverGoBeyondTheirEnd() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<100_000 {
      let count = Int.random(in: 0...15, using: &generator)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      if let decoded = decode(bytes, is32Bit: count.isMultiple(of: 2)) {
        #expect(decoded.length <= count)
        #expect([1, 2, 4, 8].contains(decoded.store.byteCount))
      }
    }
  }
}

@Suite struct ArithmeticTests {
  private static let carry: UInt64 = 1
  private static let zero: UInt64 = 1 << 6
  private static let sign: UInt64 = 1 << 7
  private static let overflow: UInt64 = 1 << 11
  private static let seen = carry | zero | sign | overflow

  private func apply(
    _ operation: Arithmetic, _ a: UInt64, _ b: UInt64, _ byteCount: Int = 8, flags: UInt64 = 0
  ) -> (value: UInt64, flags: UInt64) {
    let (value, after) = operation.apply(a, b, byteCount: byteCount, flags: flags)
    return (value, after & Self.seen)
  }

  @Test func sums_carryAndOverflow() {
    #expect(apply(.add, 0xff, 1, 1) == (0, Self.carry | Self.zero))
    #expect(apply(.add, 0x7f, 1, 1) == (0x80, Self.sign | Self.overflow))
    #expect(apply(.addWithCarry, .max, 0, flags: 1) == (0, Self.carry | Self.zero))
    #expect(apply(.addWithCarry, 5, .max, flags: 1) == (5, Self.carry))
    #expect(apply(.increment, 0xffff, 0, 2, flags: 1) == (0, Self.carry | Self.zero))
  }

  @Test func differences_borrowAndOverflow() {
    #expect(apply(.subtract, 0, 1, 4) == (0xffff_ffff, Self.carry | Self.sign))
    #expect(apply(.subtract, 0x80, 1, 1) == (0x7f, Self.overflow))
    #expect(apply(.subtractWithBorrow, 7, 7, flags: 1) == (.max, Self.carry | Self.sign))
    #expect(apply(.negate, 1, 0, 1) == (0xff, Self.carry | Self.sign))
    #expect(apply(.negate, 0, 0) == (0, Self.zero))
    #expect(apply(.decrement, 0, 0, flags: 0) == (.max, Self.sign))
  }

  @Test func logic_clearsCarryAndOverflow() {
    #expect(apply(.and, 0xf0, 0x0f, 1, flags: Self.carry | Self.overflow) == (0, Self.zero))
    #expect(apply(.exclusiveOr, 0xff, 0x0f, 1) == (0xf0, Self.sign))
    #expect(apply(.invert, 0, 0, 1, flags: Self.carry) == (0xff, Self.carry))
  }

  @Test func bits_giveTheirValueToCarry() {
    #expect(apply(.setBit, 0, 65) == (2, 0))
    #expect(apply(.resetBit, 2, 1) == (0, Self.carry))
    #expect(apply(.complementBit, 2, 33, 4) == (0, Self.carry))
  }
}
