// Deadlines by number, the earliest first: a binary heap that knows where each number stands, so that
// a deadline is changed or taken away without a search. Each processor has one.

/// A deadline in the queue.
public struct TimerEntry: Sendable {
  /// System time.
  var deadline: UInt64 = .max
  /// Whose it is.
  var number: Int32 = -1

  /// No deadline.
  public init() {}
}

/// The deadlines of one processor, over memory that the caller hands over.
public struct TimerQueue: @unchecked Sendable {
  // SAFETY: both point to `capacity` initialised values that live as long as the queue; numbers are
  // compared with `capacity` before use.
  private let heap: UnsafeMutablePointer<TimerEntry>
  private let places: UnsafeMutablePointer<Int32>
  private let capacity: Int
  /// How many deadlines there are.
  public private(set) var count = 0

  /// An empty queue for numbers below a capacity.
  public init(
    heap: UnsafeMutablePointer<TimerEntry>, places: UnsafeMutablePointer<Int32>, capacity: Int
  ) {
    self.heap = heap
    self.places = places
    self.capacity = capacity
    heap.initialize(repeating: TimerEntry(), count: capacity)
    places.initialize(repeating: -1, count: capacity)
  }

  /// The earliest deadline; `UInt64.max` for none.
  public var earliest: UInt64 { count > 0 ? heap[0].deadline : .max }

  /// Gives a number a deadline in place of the one that it had.
  public mutating func set(_ number: Int, at deadline: UInt64) {
    guard number >= 0, number < capacity else { return }
    var place = Int(places[number])
    if place < 0 {
      place = count
      count += 1
      heap[place].number = Int32(truncatingIfNeeded: number)
      places[number] = Int32(truncatingIfNeeded: place)
    }
    heap[place].deadline = deadline
    rise(place)
    sink(Int(places[number]))
  }

  /// Takes the deadline of a number away, if it has one.
  public mutating func remove(_ number: Int) {
    guard number >= 0, number < capacity, places[number] >= 0 else { return }
    let place = Int(places[number])
    places[number] = -1
    count -= 1
    guard place < count else { return }
    heap[place] = heap[count]
    let moved = Int(heap[place].number)
    places[moved] = Int32(truncatingIfNeeded: place)
    rise(place)
    sink(Int(places[moved]))
  }

  /// Takes out one number whose deadline is reached.
  public mutating func popExpired(at now: UInt64) -> Int? {
    guard count > 0, heap[0].deadline <= now else { return nil }
    let number = Int(heap[0].number)
    remove(number)
    return number
  }

  private mutating func rise(_ start: Int) {
    var place = start
    while place > 0 {
      let parent = (place - 1) / 2
      guard heap[place].deadline < heap[parent].deadline else { return }
      exchange(place, parent)
      place = parent
    }
  }

  private mutating func sink(_ start: Int) {
    var place = start
    while true {
      var least = place
      for child in 2 * place + 1...2 * place + 2 where child < count {
        if heap[child].deadline < heap[least].deadline { least = child }
      }
      guard least != place else { return }
      exchange(place, least)
      place = least
    }
  }

  private mutating func exchange(_ first: Int, _ second: Int) {
    let entry = heap[first]
    heap[first] = heap[second]
    heap[second] = entry
    places[Int(heap[first].number)] = Int32(truncatingIfNeeded: first)
    places[Int(heap[second].number)] = Int32(truncatingIfNeeded: second)
  }
}
