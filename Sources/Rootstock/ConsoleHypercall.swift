// console_io: domain 0's console is the serial port, and what is typed there is its; what others print
// goes there by whole lines with their number (abi/console.yaml).

import CXenABI
import HypervisorCore

/// The operations of console_io.
enum ConsoleHypercall {
  static func perform(
    _ arguments: inout HypercallArguments, from guest: GuestDomainPointer
  ) -> HypercallResult {
    switch arguments.command(0) {
    case CONSOLEIO_write:
      return write(&arguments, guest)
    case CONSOLEIO_read:
      return read(arguments, guest)
    default: return .error(.noSuchCall)
    }
  }

  /// Bytes go out as they are, in pieces.
  ///
  /// A guest could ask for 4 GiB, and the serial line is slow: the call is made again with what is
  /// left when other work waits.
  private static func write(
    _ arguments: inout HypercallArguments, _ guest: GuestDomainPointer
  ) -> HypercallResult {
    var rest = Int(arguments.word(1))
    var address = arguments.address(2)
    while rest > 0 {
      var piece = InlineArray<128, UInt8>(repeating: 0)
      let length = min(rest, piece.count)
      let isRead = withUnsafeMutableBytes(of: &piece) { bytes in
        guard let base = bytes.baseAddress else { return false }
        return GuestMemory.read(base, from: address, count: length)
      }
      guard isRead, let next = address.advanced(by: UInt64(length)) else { return .error(.fault) }
      Lock.console.take()
      let id = guest.pointee.domain.pointee.id.rawValue
      for index in 0..<length {
        if id != 0 {
          guest.pointee.line.append(piece[index], of: id)
        } else {
          if piece[index] == 0x0a { Serial.send(0x0d) }
          Serial.send(piece[index])
          Serial.isInLine = piece[index] != 0x0a
        }
      }
      Lock.console.release()
      address = next
      rest -= length
      if rest > 0, MetalMachine().isPreemptionPending {
        arguments[1] = UInt64(rest)
        arguments[2] = address.value
        return .again
      }
    }
    return .value(0)
  }

  /// What was typed, as far as there is room for it; nobody waits.
  ///
  /// A guest could ask for more than there ever is while the line is flooded: a call answers no more
  /// than the queue holds. What does not reach the guest is not lost.
  private static func read(
    _ arguments: HypercallArguments, _ guest: GuestDomainPointer
  ) -> HypercallResult {
    guard guest.pointee.domain.pointee.id.rawValue == 0 else { return .error(.notPermitted) }
    guard arguments.word(1) <= UInt32(Int32.max) else { return .error(.tooBig) }
    let limit = min(Int(arguments.word(1)), InputQueue.capacity)
    var address = arguments.address(2)
    var total = 0
    while total < limit {
      var piece = InlineArray<128, UInt8>(repeating: 0)
      let room = min(limit - total, piece.count)
      let length = withUnsafeMutableBytes(of: &piece) { bytes -> Int? in
        let buffer = UnsafeMutableRawBufferPointer(rebasing: bytes[..<room])
        return SerialInput.take(into: buffer) { length in
          guard let base = buffer.baseAddress else { return false }
          return GuestMemory.write(base, to: address, count: length)
        }
      }
      guard let length, let next = address.advanced(by: UInt64(length)) else {
        return .error(.fault)
      }
      if length == 0 { break }
      address = next
      total += length
    }
    return .value(Int64(total))
  }
}
