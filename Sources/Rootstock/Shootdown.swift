// TLB shootdown: other CPUs drop translations before a frame gets another use. One request at a time,
// under a lock of its own.

import CMachine
import HypervisorCore

/// Flushes on other CPUs.
enum Shootdown {
  private enum Kind {
    static let everything: UInt64 = 0
    static let page: UInt64 = 1
    static let caches: UInt64 = 2
  }

  /// Flushes one address, or everything, on the processors of a set other than this one.
  static func flush(_ address: GuestVirtualAddress?, on processors: ProcessorSet) {
    request(address == nil ? Kind.everything : Kind.page, address?.value ?? 0, processors)
  }

  /// Writes back the caches of all other processors.
  static func flushCaches() { request(Kind.caches, 0, Processors.online) }

  /// The answer comes soon: a CPU takes the interrupt at once in a guest or idle, serves the request
  /// while it waits for a lock, and is otherwise on its way to one of these.
  private static func request(_ kind: UInt64, _ address: UInt64, _ processors: ProcessorSet) {
    var targets = processors.bits & Processors.online.bits
    targets &= ~(1 << xg_this_cpu().pointee.index)
    guard targets != 0 else { return }
    // Whoever waits here serves the one that has it, so that two senders do not wait for each other; and
    // none is asked while it has it.
    Lock.shootdown.take()
    defer { Lock.shootdown.release() }
    let words = xg_shootdown_words()
    words.pointee.address = address
    words.pointee.kind = kind
    _ = xg_fetch_or(&words.pointee.pending, targets)
    Processors.interrupt(ProcessorSet(bits: targets), LocalAPIC.flushVector)
    var looks = SpinWait()
    while xg_load_acquire(&words.pointee.pending) != 0 { looks.rest() }
  }

  /// Does what another CPU has asked of this one, if anything.
  static func serve() {
    let words = xg_shootdown_words()
    let own: UInt64 = 1 << xg_this_cpu().pointee.index
    guard xg_load_acquire(&words.pointee.pending) & own != 0 else { return }
    switch words.pointee.kind {
    case Kind.page: xg_invlpg(words.pointee.address)
    case Kind.caches: xg_wbinvd()
    default:
      LoadedTables.dropForeign()
      HypervisorPages.flushAll()
    }
    _ = xg_fetch_and(&words.pointee.pending, ~own)
  }
}
