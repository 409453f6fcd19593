// The bytes of an instruction that trapped, and the parts of its encoding that the privileged
// instructions have: Intel SDM volume 2, chapter 2.

import CMachine
import HypervisorCore

/// The bytes of code at an address, as many as an instruction can have.
struct FetchedBytes {
  /// The next byte is the lowest of `low`; behind the last one are zeros.
  private(set) var low: UInt64
  private var high: UInt64
  /// How many are left, 15 at most.
  private(set) var count: Int

  /// Copies what the guest can read from `address` on.
  ///
  /// Usually one access: only where the page ends before, what is left lies in the next, which may
  /// not be there.
  init(at address: GuestVirtualAddress) {
    var words = InlineArray<2, UInt64>(repeating: 0)
    let inPage = 4096 - Int(truncatingIfNeeded: address.value & 0xfff)
    count = withUnsafeMutableBytes(of: &words) { buffer in
      // SAFETY: the buffer has 16 bytes, of which 15 at most are written.
      guard let base = buffer.baseAddress else { return 0 }
      if inPage >= 15 { return GuestMemory.read(base, from: address, count: 15) ? 15 : 0 }
      guard GuestMemory.read(base, from: address, count: inPage) else { return 0 }
      let next = GuestVirtualAddress(address.value &+ UInt64(inPage))
      return GuestMemory.read(base + inPage, from: next, count: 15 - inPage) ? 15 : inPage
    }
    low = words[0]
    high = words[1]
  }

  /// Takes the next byte.
  @inline(__always)
  mutating func next() -> UInt8? {
    guard count > 0 else { return nil }
    let byte = UInt8(truncatingIfNeeded: low)
    low = low >> 8 | high << 56
    high >>= 8
    count -= 1
    return byte
  }
}

/// An instruction of 64-bit code as far as its opcode and ModRM byte.
struct InstructionBytes {
  private(set) var length = 0
  private var bytes: FetchedBytes
  private(set) var rex: UInt8 = 0
  private(set) var hasOperandSizePrefix = false
  /// F2, F3 or 0.
  private(set) var repeatPrefix: UInt8 = 0
  private(set) var hasLock = false
  /// The opcode; with 0x0f00 added for the two-byte map.
  private(set) var opcode: UInt16 = 0

  /// Reads what the guest has at `address`.
  ///
  /// Another vcpu may change it meanwhile, so it is copied once; what was decoded is what is
  /// carried out. `nil` where it cannot be read or is longer than an instruction can be.
  init?(at address: GuestVirtualAddress) {
    bytes = FetchedBytes(at: address)
    while let byte = next() {
      switch byte {
      case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x67: rex = 0
      case 0x66:
        hasOperandSizePrefix = true
        rex = 0
      case 0xf0:
        hasLock = true
        rex = 0
      case 0xf2, 0xf3:
        repeatPrefix = byte
        rex = 0
      case 0x40...0x4f: rex = byte
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
  @inline(__always)
  mutating func next() -> UInt8? {
    guard let byte = bytes.next() else { return nil }
    length += 1
    return byte
  }

  /// The register that `reg` of a ModRM byte names.
  func registerField(_ modRM: UInt8) -> Int { Int(modRM >> 3 & 7 | (rex & 4) << 1) }

  /// The register that `rm` of a ModRM byte names.
  func baseField(_ modRM: UInt8) -> Int { Int(modRM & 7 | (rex & 1) << 3) }
}

extension xg_frame {
  /// A general register by its number in encodings.
  subscript(register number: Int) -> UInt64 {
    get {
      switch number {
      case 0: rax
      case 1: rcx
      case 2: rdx
      case 3: rbx
      case 4: rsp
      case 5: rbp
      case 6: rsi
      case 7: rdi
      case 8: r8
      case 9: r9
      case 10: r10
      case 11: r11
      case 12: r12
      case 13: r13
      case 14: r14
      default: r15
      }
    }
    set {
      switch number {
      case 0: rax = newValue
      case 1: rcx = newValue
      case 2: rdx = newValue
      case 3: rbx = newValue
      case 4: rsp = newValue
      case 5: rbp = newValue
      case 6: rsi = newValue
      case 7: rdi = newValue
      case 8: r8 = newValue
      case 9: r9 = newValue
      case 10: r10 = newValue
      case 11: r11 = newValue
      case 12: r12 = newValue
      case 13: r13 = newValue
      case 14: r14 = newValue
      default: r15 = newValue
      }
    }
  }
}
