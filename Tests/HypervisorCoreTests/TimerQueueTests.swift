import HypervisorCore
import Testing

/// A queue beside a dictionary that says what it must hold.
private final class CheckedQueue {
  static let capacity = 16
  private let heap = UnsafeMutablePointer<TimerEntry>.allocate(capacity: capacity)
  private let places = UnsafeMutablePointer<Int32>.allocate(capacity: capacity)
  var queue: TimerQueue
  var model: [Int: UInt64] = [:]

  init() { queue = TimerQueue(heap: heap, places: places, capacity: Self.capacity) }
  deinit {
    heap.deallocate()
    places.deallocate()
  }

  func set(_ number: Int, at deadline: UInt64) {
    queue.set(number, at: deadline)
    model[number] = deadline
  }

  func remove(_ number: Int) {
    queue.remove(number)
    model[number] = nil
  }

  var isRight: Bool {
    queue.count == model.count && queue.earliest == model.values.min() ?? .max
  }
}

@Suite struct TimerQueueTests {
  @Test func popExpired_givesDeadlinesInOrder() {
    let checked = CheckedQueue()
    for (number, deadline) in [(3, 30), (1, 10), (2, 20), (0, 40)] {
      checked.queue.set(number, at: UInt64(deadline))
    }
    #expect(checked.queue.popExpired(at: 9) == nil)
    #expect(checked.queue.popExpired(at: 25) == 1)
    #expect(checked.queue.popExpired(at: 25) == 2)
    #expect(checked.queue.popExpired(at: 25) == nil)
    #expect(checked.queue.earliest == 30)
  }

  @Test func set_numberOutOfRange_changesNothing() {
    let checked = CheckedQueue()
    checked.queue.set(CheckedQueue.capacity, at: 1)
    checked.queue.set(-1, at: 1)
    checked.queue.remove(CheckedQueue.capacity)
    #expect(checked.queue.count == 0)
    #expect(checked.queue.earliest == .max)
  }

  @Test(arguments: 0..<20) func randomChanges_equalTheModel(_ seed: UInt64) {
    let checked = CheckedQueue()
    var state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
    func random(_ limit: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % limit
    }
    for _ in 0..<2000 {
      let number = Int(random(UInt64(CheckedQueue.capacity)))
      switch random(4) {
      case 0: checked.remove(number)
      case 1:
        let now = random(100)
        if let popped = checked.queue.popExpired(at: now) {
          #expect(checked.model[popped] == checked.model.values.min())
          checked.model[popped] = nil
        } else {
          #expect(checked.model.values.allSatisfy { $0 > now })
        }
      default: checked.set(number, at: random(100))
      }
      #expect(checked.isRight)
    }
  }
}
