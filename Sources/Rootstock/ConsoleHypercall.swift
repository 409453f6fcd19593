// console_io: domain 0's console is the serial port; what others print goes there by whole lines
// with their number (abi/console.yaml).

import CXenABI
import HypervisorCore

/// The operations of console_io.
enum ConsoleHypercall {
  static func perform(
    _ arguments: HypercallArguments, from guest: GuestDomainPointer
  ) -> HypercallResult {
    switch arguments.command(0) {
    case CONSOLEIO_write:
      answer { () throws(HypercallError) in
        try write(arguments.address(2), count: arguments.word(1), guest)
      }
    case CONSOLEIO_read: .value(0)
    default: .error(.noSuchCall)
    }
  }

  /// Bytes go out as they are, in pieces: a guest could ask for 4 GiB.
  private static func write(
    _ address: GuestVirtualAddress, count: UInt32, _ guest: GuestDomainPointer
  ) throws(HypercallError) -> Int64 {
    var rest = Int(count)
    var address = address
    while rest > 0 {
      var piece = InlineArray<128, UInt8>(repeating: 0)
      let length = min(rest, piece.count)
      let isRead = withUnsafeMutableBytes(of: &piece) { bytes in
        guard let base = bytes.baseAddress else { return false }
        return GuestMemory.read(base, from: address, count: length)
      }
      guard isRead, let next = address.advanced(by: UInt64(length)) else { throw .fault }
      Lock.console.take()
      let id = guest.pointee.domain.pointee.id.rawValue
      for index in 0..<length {
        if id != 0 {
          guest.pointee.line.append(piece[index], of: id)
        } else {
          if piece[index] == 0x0a { Serial.send(0x0d) }
          Serial.send(piece[index])
        }
      }
      Lock.console.release()
      address = next
      rest -= length
    }
    return 0
  }
}
