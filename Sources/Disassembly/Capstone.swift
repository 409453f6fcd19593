// The one door to Capstone: instruction text in Intel syntax.

import CCapstone

/// Why Capstone could not be used: its own code and message.
public struct CapstoneError: Error, Sendable, Equatable {
  /// `cs_err`.
  public var code: UInt32
  /// What `cs_strerror` says of it.
  public var message: String
}

/// An open Capstone handle for x86 code of one width; closed when it goes away.
///
/// A handle serves one thread at a time.
public struct CapstoneDisassembler: ~Copyable {
  private var handle: csh
  private let instruction: UnsafeMutablePointer<cs_insn>

  /// Opens a handle (`cs_open`).
  public init(mode: DecodingMode) throws(CapstoneError) {
    handle = 0
    let width =
      switch mode {
      case .bits16: CS_MODE_16
      case .bits32: CS_MODE_32
      case .bits64: CS_MODE_64
      }
    let status = cs_open(CS_ARCH_X86, width, &handle)
    guard status == CS_ERR_OK, let memory = cs_malloc(handle) else {
      let reason = status == CS_ERR_OK ? CS_ERR_MEM : status
      throw CapstoneError(code: reason.rawValue, message: String(cString: cs_strerror(reason)))
    }
    instruction = memory
  }

  deinit {
    // SAFETY: `instruction` came from `cs_malloc` and is freed once; the handle is closed after it.
    cs_free(instruction, 1)
    var handle = handle
    cs_close(&handle)
  }

  /// The text of the instruction at the head of `code`, with its length in bytes.
  ///
  /// - Returns: `nil` where Capstone knows no instruction there.
  public func text(of code: UnsafeRawBufferPointer, at address: UInt64) -> (
    text: String, length: Int
  )? {
    var bytes = code.baseAddress?.assumingMemoryBound(to: UInt8.self)
    var size = code.count
    var address = address
    // SAFETY: `cs_disasm_iter` reads at most `size` bytes from `bytes` and writes into `instruction`, which `cs_malloc` made.
    guard cs_disasm_iter(handle, &bytes, &size, &address, instruction) else { return nil }
    let mnemonic = withUnsafeBytes(of: instruction.pointee.mnemonic, Self.string)
    let operands = withUnsafeBytes(of: instruction.pointee.op_str, Self.string)
    return (
      operands.isEmpty ? mnemonic : "\(mnemonic) \(operands)", Int(instruction.pointee.size)
    )
  }

  private static func string(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
