// Random numbers that are found again from their seed.

/// A reproducible stream of numbers.
public struct SeededNumbers {
  private var state: UInt64

  /// A stream of its own for each seed.
  public init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 0x2545_f491_4f6c_dd1d }

  /// The next number (splitmix64: Steele, Lea and Flood 2014).
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  /// A number below a bound.
  public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// One of a list.
  public mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }
}
