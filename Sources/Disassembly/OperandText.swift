// Operands in Intel syntax for the instructions that Capstone does not know: rules give their text
// with places for operands, `clrssbsy {m64}`, and this file fills them from the encoding.
//
//     {m} {m8} {m16} {m32} {m64} {m128} {m512}   memory operand, with its size
//     {rm16} {rm32} {rm64} {rm128} {rmv} {rmp}   register or memory by ModRM.rm
//     {reg16} {reg32} {reg64} {reg128} {regv} {regp}   register by ModRM.reg
//     {imm8} {imm32}                             the immediate
// v is the operand size, p the width of a pointer.

/// Fills the places for operands in a rule's text.
public struct OperandText: Sendable {
  private let encoding: InstructionEncoding
  private let bytes: [UInt8]
  private let mode: DecodingMode

  /// The operands of `encoding`, whose bytes are `bytes`.
  public init(_ encoding: InstructionEncoding, bytes: [UInt8], mode: DecodingMode) {
    self.encoding = encoding
    self.bytes = bytes
    self.mode = mode
  }

  /// `template` with its places filled; unknown places stay as they are.
  public func fill(_ template: String) -> String {
    var result = ""
    var rest = template[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      result += rest[..<open]
      let place = String(rest[rest.index(after: open)..<close])
      result += operand(place) ?? "{\(place)}"
      rest = rest[rest.index(after: close)...]
    }
    return result + rest
  }

  private func operand(_ place: String) -> String? {
    if place.hasPrefix("imm") {
      return "0x" + String(immediate(), radix: 16)
    }
    if place.hasPrefix("reg"), let size = bits(place.dropFirst(3)) {
      return Self.register(encoding.registerField | (encoding.rex & 4) << 1, size: size)
    }
    if place.hasPrefix("rm"), let size = bits(place.dropFirst(2)) {
      if encoding.isMemoryForm { return sized(size) }
      return Self.register((encoding.modRM & 7) | (encoding.rex & 1) << 3, size: size)
    }
    if place == "m" { return memory() }
    if place.hasPrefix("m"), let size = Int(place.dropFirst()) { return sized(size) }
    return nil
  }

  private func bits(_ text: some StringProtocol) -> Int? {
    switch text {
    case "v":
      if encoding.isWide { return 64 }
      return (mode == .bits16) != encoding.hasOperandSize ? 16 : 32
    case "p": return mode.rawValue
    default: return Int(text)
    }
  }

  private func sized(_ bits: Int) -> String {
    let name =
      switch bits {
      case 8: "byte"
      case 16: "word"
      case 32: "dword"
      case 64: "qword"
      case 128: "xmmword"
      default: "zmmword"
      }
    return "\(name) ptr \(memory())"
  }

  private func immediate() -> UInt64 {
    let end = encoding.immediateOffset + encoding.immediateLength
    guard end <= bytes.count else { return 0 }
    return bytes[encoding.immediateOffset..<end].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

// MARK: Memory operands

extension OperandText {
  private func memory() -> String {
    let size = addressSize
    let inner = size == 16 ? terms16() : termsWithSIB(size)
    let segment = Self.segments[encoding.segmentPrefix].map { "\($0):" } ?? ""
    return "\(segment)[\(inner)]"
  }

  private var addressSize: Int {
    switch mode {
    case .bits16: encoding.hasAddressSize ? 32 : 16
    case .bits32: encoding.hasAddressSize ? 16 : 32
    case .bits64: encoding.hasAddressSize ? 32 : 64
    }
  }

  private var mod: UInt8 { encoding.modRM >> 6 }
  private var rm: UInt8 { encoding.modRM & 7 }

  /// The signed displacement of `count` bytes at `offset`; 0 where there is none.
  private func displacement(at offset: Int, count: Int) -> Int64 {
    guard count > 0, offset + count <= bytes.count else { return 0 }
    let value = bytes[offset..<offset + count].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let shift = UInt64(64 - 8 * count)
    return Int64(bitPattern: value << shift) >> Int64(shift)
  }

  private func terms16() -> String {
    let at = encoding.modRMOffset + 1
    if mod == 0, rm == 6 { return Self.absolute(displacement(at: at, count: 2), bits: 16) }
    let base = ["bx + si", "bx + di", "bp + si", "bp + di", "si", "di", "bp", "bx"][Int(rm)]
    return base + Self.offset(displacement(at: at, count: Int(mod)))
  }

  private func termsWithSIB(_ size: Int) -> String {
    var at = encoding.modRMOffset + 1
    let count = mod == 0 ? 0 : (mod == 1 ? 1 : 4)
    if rm != 4 {
      if mod == 0, rm == 5 {
        let value = displacement(at: at, count: 4)
        if mode != .bits64 { return Self.absolute(value, bits: 32) }
        return (size == 64 ? "rip" : "eip") + Self.offset(value)
      }
      let base = Self.register(rm | (encoding.rex & 1) << 3, size: size)
      return base + Self.offset(displacement(at: at, count: count))
    }
    guard at < bytes.count else { return "?" }
    let sib = bytes[at]
    at += 1
    var terms: [String] = []
    var width = count
    if mod == 0, sib & 7 == 5 {
      width = 4
    } else {
      terms.append(Self.register((sib & 7) | (encoding.rex & 1) << 3, size: size))
    }
    let index = (sib >> 3 & 7) | (encoding.rex & 2) << 2
    if index != 4 {
      let scale = 1 << Int(sib >> 6)
      terms.append(Self.register(index, size: size) + (scale == 1 ? "" : "*\(scale)"))
    }
    let value = displacement(at: at, count: width)
    if terms.isEmpty { return Self.absolute(value, bits: size) }
    return terms.joined(separator: " + ") + Self.offset(value)
  }

  private static func offset(_ value: Int64) -> String {
    if value == 0 { return "" }
    return (value < 0 ? " - 0x" : " + 0x") + String(value.magnitude, radix: 16)
  }

  private static func absolute(_ value: Int64, bits: Int) -> String {
    let mask: UInt64 = bits == 64 ? .max : (1 << UInt64(bits)) - 1
    return "0x" + String(UInt64(bitPattern: value) & mask, radix: 16)
  }

  private static let segments: [UInt8: String] = [
    0x26: "es", 0x2E: "cs", 0x36: "ss", 0x3E: "ds", 0x64: "fs", 0x65: "gs",
  ]

  private static func register(_ number: UInt8, size: Int) -> String {
    if size == 128 { return "xmm\(number)" }
    let legacy = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"]
    if number < 8 {
      let name = legacy[Int(number)]
      return size == 64 ? "r\(name)" : (size == 32 ? "e\(name)" : name)
    }
    return "r\(number)" + (size == 64 ? "" : (size == 32 ? "d" : "w"))
  }
}
