// Printing. console_io prints to the hypervisor's own console, which is that of domain 0; of other
// domains a release build of Xen drops it. They have a ring in a page shared with a daemon, if there is
// one; otherwise the hypervisor's has to do:
//
//     out[]:  ....xxxxxxx....      x: printed and not yet read by the daemon
//                 ^cons  ^prod     indexes run freely and are masked when used

import CXenABI
import Machine

enum Console {
  private nonisolated(unsafe) static var ring: UnsafeMutablePointer<xencons_interface>? = nil
  private static let size: UInt32 = 2048

  /// Finds the domain's own console, if it has one.
  static func begin() {
    let info = Domain.start.pointee
    if info.flags & UInt32(SIF_INITDOMAIN) != 0 || info.console.domU.mfn == 0 { return }
    // SAFETY: the loader mapped the page, and it stays.
    ring = UnsafeMutablePointer(bitPattern: UInt(Pages.page(frame: UInt64(info.console.domU.mfn))))
    // Shows nothing, but shows whether there is a daemon.
    guard let ring else { return }
    let seen = load32(&ring.pointee.out_cons)
    if !put(13, ring) || !waitForDaemon(ring, seen) { self.ring = nil }
  }

  static func write(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let base = bytes.baseAddress else { return }
    if let ring {
      var whole = true
      for byte in bytes {
        if byte == 10 { whole = whole && put(13, ring) }
        whole = whole && put(byte, ring)
      }
      notify()
      if whole { return }
      self.ring = nil
    }
    // The hypervisor reads so many bytes and writes none.
    let text = UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(to: CChar.self)
    _ = HYPERVISOR_console_io(UInt32(CONSOLEIO_write), UInt32(bytes.count), text)
  }

  private static func put(_ byte: UInt8, _ ring: UnsafeMutablePointer<xencons_interface>) -> Bool {
    let index = ring.pointee.out_prod
    while true {
      let seen = load32(&ring.pointee.out_cons)
      // Wrapping: a daemon that writes nonsense makes the ring look full, not larger.
      if index &- seen < size { break }
      if !waitForDaemon(ring, seen) { return false }
    }
    ring_put(ring, index, byte)
    store32(&ring.pointee.out_prod, index &+ 1)
    return true
  }

  /// Sleeps until the daemon has read something, but not for ever: it may be gone.
  private static func waitForDaemon(
    _ ring: UnsafeMutablePointer<xencons_interface>, _ seen: UInt32
  ) -> Bool {
    let deadline = Clock.now + 500 * Clock.millisecond
    notify()
    while load32(&ring.pointee.out_cons) == seen {
      if Clock.now >= deadline { return false }
      Events.poll(Domain.start.pointee.console.domU.evtchn, deadline)
    }
    return true
  }

  private static func notify() {
    var send = evtchn_send(port: Domain.start.pointee.console.domU.evtchn)
    _ = HYPERVISOR_event_channel_op(EVTCHNOP_send, &send)
  }
}

/// Prints a text.
func say(_ text: StaticString) {
  Console.write(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
}

/// Prints a number.
func say(number: UInt64, radix: UInt64 = 10) {
  // Twenty digits are enough for 64 bits; InlineArray, because there is no heap for an array.
  var digits = InlineArray<20, UInt8>(repeating: 0)
  var first = 20
  var rest = number
  repeat {
    first -= 1
    let digit = UInt8(truncatingIfNeeded: rest % radix)
    digits[first] = digit < 10 ? 48 + digit : 87 + digit
    rest /= radix
  } while rest != 0
  let span = digits.span
  span.withUnsafeBufferPointer { Console.write(UnsafeBufferPointer(rebasing: $0[first...])) }
}

/// Prints a number that may be an error.
func say(number: Int) {
  if number < 0 { say("-") }
  say(number: UInt64(number.magnitude))
}

/// Prints an address or a register.
func say(hexadecimal number: UInt64) {
  say("0x")
  say(number: number, radix: 16)
}
