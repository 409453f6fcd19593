import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct InputQueueTests {
  /// A queue whose changes can stand in an expectation.
  private final class Line {
    private(set) var queue = InputQueue()

    func add(_ byte: UInt8) -> Bool { queue.append(byte) }

    /// The oldest bytes, which are removed.
    func take(_ count: Int) -> [UInt8] {
      var bytes = [UInt8](repeating: 0xff, count: count)
      let length = bytes.withUnsafeMutableBytes { queue.copy(to: $0) }
      queue.removeFirst(length)
      return Array(bytes[..<length])
    }
  }

  @Test func bytes_comeInOrder_andStayUntilRemoved() {
    let line = Line()
    for byte in UInt8(1)...5 { #expect(line.add(byte)) }
    var copy = [UInt8](repeating: 0, count: 3)
    let count = copy.withUnsafeMutableBytes { line.queue.copy(to: $0) }
    #expect(count == 3 && copy == [1, 2, 3] && line.queue.count == 5)
    #expect(line.take(3) == [1, 2, 3])
    #expect(line.take(9) == [4, 5])
    #expect(line.take(9).isEmpty)
    #expect(line.take(0).isEmpty)
  }

  @Test func flood_isDroppedBeyondTheLimit() {
    let line = Line()
    for number in 0..<InputQueue.capacity { #expect(line.add(UInt8(truncatingIfNeeded: number))) }
    #expect(line.queue.isFull && !line.add(7))
    #expect(line.take(1) == [0])
    #expect(!line.queue.isFull && line.add(8))
    let rest = line.take(InputQueue.capacity)
    #expect(rest.count == InputQueue.capacity && rest.first == 1 && rest.last == 8)
  }

  @Test func manyRounds_wrapAround() {
    let line = Line()
    var written = 0
    var read = 0
    for round in 0..<3000 {
      for _ in 0..<round % 7 where line.add(UInt8(truncatingIfNeeded: written)) { written += 1 }
      for byte in line.take(round % 5) {
        #expect(byte == UInt8(truncatingIfNeeded: read))
        read += 1
      }
    }
    #expect(written - read == line.queue.count)
    _ = line.take(InputQueue.capacity)
    #expect(line.queue.count == 0)
  }

  @Test func input_isToldToDomain0_onceItHasBoundTheInterrupt() {
    let bench = Bench()
    let owner = bench.makeDomain(0, frames: 2, privileged: true).caller
    bench.share(with: owner)
    let words = bench.machine.words(of: owner.domain.pointee.sharedInfo ?? MachineFrame(0))
    bench.hypervisor.noteInput()
    #expect(words[256] == 0)
    #expect(
      bench.eventOperation(UInt64(EVTCHNOP_bind_virq), [UInt32(VIRQ_CONSOLE), 0, 0], from: owner)
        == 0)
    let port = bench.machine.peek(half: 8)
    bench.hypervisor.noteInput()
    #expect(words[256] == 1 << UInt64(port))
  }

  @Test func withoutDomain0_nobodyIsTold() {
    let bench = Bench()
    let other = bench.makeDomain(1, frames: 2).caller
    bench.share(with: other)
    #expect(
      bench.eventOperation(UInt64(EVTCHNOP_bind_virq), [UInt32(VIRQ_CONSOLE), 0, 0], from: other)
        == 0)
    bench.hypervisor.noteInput()
    let words = bench.machine.words(of: other.domain.pointee.sharedInfo ?? MachineFrame(0))
    #expect(words[256] == 0)
  }
}
