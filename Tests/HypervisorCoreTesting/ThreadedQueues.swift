// Events from two processors into the queue of one vcpu at the same time: none may be lost, and none may
// stand there twice.

import CXenABI
import Dispatch
import Foundation
import HypervisorCore
import Synchronization
import XenABI

extension ThreadedGuests {
  /// Lets both domains signal ports of the first one at once, so many times; after each time that domain
  /// takes out what waits.
  public func signal(rounds: Int) throws(Violation) {
    let own = (0..<6).compactMap { _ in
      port(of: 7, [0], at: 4, from: callers[0].caller)
    }
    var theirs: [UInt32] = []
    var ends: [UInt32] = []
    for _ in 0..<6 {
      guard let end = port(of: 6, [0x7ff0 | 2 << 16], at: 4, from: callers[0].caller),
        let other = port(of: 0, [1, end], at: 8, from: callers[1].caller)
      else { throw Violation(description: "there are too few ports") }
      ends.append(end)
      theirs.append(other)
    }
    let expected = Set(own + ends)
    guard expected.count == 12 else { throw Violation(description: "there are too few ports") }
    _ = takeQueue()
    let ports = [own, theirs]
    let arrivals = Atomic(0)
    let lost = Mutex<String?>(nil)
    DispatchQueue.concurrentPerform(iterations: 2) { index in
      machine.become(index)
      for round in 0..<rounds {
        meet(arrivals, round * 2)
        for port in ports[index] { send(port, index) }
        meet(arrivals, round * 2 + 1)
        guard index == 0 else { continue }
        let found = takeQueue()
        if found.count != expected.count || Set(found) != expected {
          lost.withLock { $0 = "round \(round): \(found) in place of \(expected.sorted())" }
        }
      }
    }
    if let text = lost.withLock({ $0 }) { throw Violation(description: text) }
  }

  /// Waits until both threads have come here, so that they go on at the same moment.
  private func meet(_ arrivals: borrowing Atomic<Int>, _ meeting: Int) {
    arrivals.wrappingAdd(1, ordering: .acquiringAndReleasing)
    var turns = 0
    while arrivals.load(ordering: .acquiring) < (meeting + 1) * 2 {
      turns += 1
      if turns > 10_000 { sched_yield() }
    }
  }

  private func send(_ port: UInt32, _ index: Int) {
    let caller = callers[index].caller
    machine.poke([UInt64(port)], at: 0)
    perform(index, HypercallArguments(4, Self.window), nil) {
      hypervisor.eventChannelOperation(&$0, from: caller)
    }
  }

  /// The port that an operation answers at an offset; nil where it is refused.
  private func port(
    of command: UInt64, _ fields: [UInt32], at offset: Int, from caller: Caller
  ) -> UInt32? {
    guard bench.eventOperation(command, fields, from: caller) == 0 else { return nil }
    return bench.machine.peek(half: offset)
  }

  /// What waits in the queue of the first domain, which is empty after.
  private func takeQueue() -> [UInt32] {
    typealias Block = Xen.Offset.evtchn_fifo_control_block
    // SAFETY: frames of the bench, a control block in one and the event words in the other.
    let block = UnsafeMutableRawPointer(machine.words(of: callers[0].frames[12]))
    let words = UnsafeMutableRawPointer(machine.words(of: callers[0].frames[13]))
    let head = Block.head + Int(EVTCHN_FIFO_PRIORITY_DEFAULT) * 4
    var found: [UInt32] = []
    var next = block.load(fromByteOffset: head, as: UInt32.self)
    // One that is linked to itself would never end.
    while next != 0, found.count < 1024 {
      found.append(next)
      let word = words.load(fromByteOffset: Int(next) * 4, as: UInt32.self)
      words.storeBytes(of: 0, toByteOffset: Int(next) * 4, as: UInt32.self)
      next = word & UInt32(EVTCHN_FIFO_LINK_MASK)
    }
    block.storeBytes(of: 0, toByteOffset: head, as: UInt32.self)
    block.storeBytes(of: 0, toByteOffset: Block.ready, as: UInt32.self)
    return found
  }
}
