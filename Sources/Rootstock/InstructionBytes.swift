// The instruction that trapped, as the guest has it in memory, and its registers by number.

import CMachine
import HypervisorCore
import X86

extension FetchedBytes {
  /// Copies what the guest can read from `address` on.
  ///
  /// Usually two loads: only where the page ends before, what is left lies in the next, which may not
  /// be there.
  init(at address: GuestVirtualAddress) {
    if address.value & 0xfff <= 0xff0, let low = GuestMemory.load64(from: address),
      let high = GuestMemory.load64(from: GuestVirtualAddress(address.value &+ 8))
    {
      self.init(low: low, high: high & 0xff_ffff_ffff_ffff, count: 15)
    } else {
      self.init(acrossPagesAt: address)
    }
  }

  @inline(never)
  private init(acrossPagesAt address: GuestVirtualAddress) {
    var words = InlineArray<2, UInt64>(repeating: 0)
    let inPage = 4096 - Int(truncatingIfNeeded: address.value & 0xfff)
    let count = withUnsafeMutableBytes(of: &words) { buffer in
      // SAFETY: the buffer has 16 bytes, of which 15 at most are written.
      guard let base = buffer.baseAddress else { return 0 }
      if inPage >= 15 { return GuestMemory.read(base, from: address, count: 15) ? 15 : 0 }
      guard GuestMemory.read(base, from: address, count: inPage) else { return 0 }
      let next = GuestVirtualAddress(address.value &+ UInt64(inPage))
      return GuestMemory.read(base + inPage, from: next, count: 15 - inPage) ? 15 : inPage
    }
    self.init(low: words[0], high: words[1], count: count)
  }
}

extension InstructionBytes {
  /// Reads what the guest has at `address`.
  ///
  /// Another vcpu may change it meanwhile, so it is copied once; what was decoded is what is
  /// carried out. `nil` where it cannot be read or is longer than an instruction can be.
  init?(at address: GuestVirtualAddress, is32Bit: Bool = false) {
    self.init(FetchedBytes(at: address), is32Bit: is32Bit)
  }
}

extension FramePointer {
  /// A general register of the frame by its number in encodings.
  ///
  /// The pointer's and not the frame's: of that the compiler would make a copy to read one register.
  subscript(register number: Int) -> UInt64 {
    get {
      switch number {
      case 0: pointee.rax
      case 1: pointee.rcx
      case 2: pointee.rdx
      case 3: pointee.rbx
      case 4: pointee.rsp
      case 5: pointee.rbp
      case 6: pointee.rsi
      case 7: pointee.rdi
      case 8: pointee.r8
      case 9: pointee.r9
      case 10: pointee.r10
      case 11: pointee.r11
      case 12: pointee.r12
      case 13: pointee.r13
      case 14: pointee.r14
      default: pointee.r15
      }
    }
    nonmutating set {
      switch number {
      case 0: pointee.rax = newValue
      case 1: pointee.rcx = newValue
      case 2: pointee.rdx = newValue
      case 3: pointee.rbx = newValue
      case 4: pointee.rsp = newValue
      case 5: pointee.rbp = newValue
      case 6: pointee.rsi = newValue
      case 7: pointee.rdi = newValue
      case 8: pointee.r8 = newValue
      case 9: pointee.r9 = newValue
      case 10: pointee.r10 = newValue
      case 11: pointee.r11 = newValue
      case 12: pointee.r12 = newValue
      case 13: pointee.r13 = newValue
      case 14: pointee.r14 = newValue
      default: pointee.r15 = newValue
      }
    }
  }
}
