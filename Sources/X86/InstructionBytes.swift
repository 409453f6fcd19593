// The bytes of an instruction of 64-bit or 32-bit code, and the parts of its encoding that emulation needs:
// Intel SDM volume 2, chapter 2. The bytes come from a guest, who may have put anything there.

/// The bytes of code at an address, as many as an instruction can have.
public struct FetchedBytes: Sendable {
  /// The next byte is the lowest of `low`; behind the last one are zeros.
  public private(set) var low: UInt64
  private var high: UInt64
  /// How many are left, 15 at most.
  public private(set) var count: Int

  /// Bytes in the order of memory, the first one the lowest.
  public init(low: UInt64, high: UInt64, count: Int) {
    self.low = low
    self.high = high
    self.count = min(count, 15)
  }

  /// Takes the next byte.
  public mutating func next() -> UInt8? {
    guard count > 0 else { return nil }
    let byte = UInt8(truncatingIfNeeded: low)
    low = low >> 8 | high << 56
    high >>= 8
    count -= 1
    return byte
  }
}

/// An instruction of 64-bit or 32-bit code as far as its opcode; what follows is taken by `next` and others.
public struct InstructionBytes: Sendable {
  /// How many bytes have been taken.
  public private(set) var length = 0
  private var bytes: FetchedBytes
  /// The REX prefix, or 0.
  public private(set) var rex: UInt8 = 0
  /// 66.
  public private(set) var hasOperandSizePrefix = false
  /// 67.
  public private(set) var hasAddressSizePrefix = false
  /// F2, F3 or 0.
  public private(set) var repeatPrefix: UInt8 = 0
  /// 64 or 65, the segments that have a base in 64-bit mode, or 0; in 32-bit code 26, 2E, 36 and 3E, too.
  public private(set) var segmentPrefix: UInt8 = 0
  /// F0.
  public private(set) var hasLock = false
  /// The opcode; with 0x0f00 added for the two-byte map.
  public private(set) var opcode: UInt16 = 0

  /// It is one of 32-bit code.
  public let is32Bit: Bool

  /// Takes an instruction apart as far as its opcode; `nil` where the bytes end before.
  ///
  /// No instruction is longer than 15 bytes, so prefixes cannot go on for ever.
  public init?(_ bytes: FetchedBytes, is32Bit: Bool = false) {
    self.bytes = bytes
    self.is32Bit = is32Bit
    while let byte = next() {
      switch byte {
      case 0x26, 0x2e, 0x36, 0x3e:
        if is32Bit { segmentPrefix = byte }
        rex = 0
      case 0x64, 0x65:
        segmentPrefix = byte
        rex = 0
      case 0x66:
        hasOperandSizePrefix = true
        rex = 0
      case 0x67:
        hasAddressSizePrefix = true
        rex = 0
      case 0xf0:
        hasLock = true
        rex = 0
      case 0xf2, 0xf3:
        repeatPrefix = byte
        rex = 0
      case 0x40...0x4f where !is32Bit: rex = byte
      case 0x0f:
        guard let second = next() else { return nil }
        opcode = 0x0f00 | UInt16(second)
        return
      default:
        opcode = UInt16(byte)
        return
      }
    }
    return nil
  }

  /// The next byte: a ModRM byte, or an immediate.
  public mutating func next() -> UInt8? {
    guard let byte = bytes.next() else { return nil }
    length += 1
    return byte
  }

  /// The byte behind the opcode, which stays to be taken.
  public var following: UInt8? { bytes.count > 0 ? UInt8(truncatingIfNeeded: bytes.low) : nil }

  /// A little-endian number of 1, 2, 4 or 8 bytes, with its sign.
  public mutating func signed(byteCount: Int) -> Int64? {
    var value: UInt64 = 0
    for index in 0..<byteCount {
      guard let byte = next() else { return nil }
      value |= UInt64(byte) << UInt64(index * 8)
    }
    let unused = UInt64(64 - byteCount * 8)
    return Int64(bitPattern: value << unused) >> Int64(unused)
  }

  /// The register that `reg` of a ModRM byte names.
  public func registerField(_ modRM: UInt8) -> Int { Int(modRM >> 3 & 7 | (rex & 4) << 1) }

  /// The register that `rm` of a ModRM byte names.
  public func baseField(_ modRM: UInt8) -> Int { Int(modRM & 7 | (rex & 1) << 3) }
}
