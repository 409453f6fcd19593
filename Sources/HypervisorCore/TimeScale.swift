// System time from the time-stamp counter: the parameters of vcpu_time_info and the reader's
// arithmetic. abi/time.yaml, system-time.

/// How counter ticks become nanoseconds: `((ticks shifted by shift) * multiplier) >> 32`.
public struct TimeScale: Hashable, Sendable {
  /// For `tsc_to_system_mul`.
  public var multiplier: UInt32
  /// For `tsc_shift`; negative shifts right.
  public var shift: Int8

  /// The scale of a counter that runs at a frequency; nil for frequency 0.
  ///
  /// The multiplier is kept in its upper half of range, which gives the most exact scale.
  public init?(hertz: UInt64) {
    guard hertz > 0 else { return nil }
    var ticksPerSecond = hertz
    var shift: Int8 = 0
    // Slow counters are shifted left and fast ones right until 10^9 to twice that many ticks a
    // second remain to be scaled: then the multiplier is from 2^31 to 2^32.
    while ticksPerSecond > 2_000_000_000 {
      ticksPerSecond = (ticksPerSecond >> 1) + (ticksPerSecond & 1)
      shift -= 1
    }
    while ticksPerSecond <= 1_000_000_000 {
      ticksPerSecond <<= 1
      shift += 1
    }
    let quotient: UInt64
    if shift >= 0 {
      quotient = (1_000_000_000 << 32) / ticksPerSecond
    } else {
      // Going right the exact frequency is the divisor: rounding it would cost more than the
      // multiplier's last bit. 10^9 << 32 << places has its high half below the frequency, which is
      // more than 10^9 << places.
      let places = UInt64(-Int64(shift))
      let dividend = (UInt64(1_000_000_000) << 32).multipliedFullWidth(by: 1 << places)
      quotient = hertz.dividingFullWidth(dividend).quotient
    }
    multiplier = UInt32(clamping: quotient)
    self.shift = shift
  }

  /// The nanoseconds of a number of ticks, as the guest computes them.
  ///
  /// The product has 96 bits.
  @inlinable public func nanoseconds(ticks: UInt64) -> UInt64 {
    let shifted = shift >= 0 ? ticks << UInt64(shift) : ticks >> UInt64(-Int64(shift))
    let product = shifted.multipliedFullWidth(by: UInt64(multiplier))
    return product.high << 32 | product.low >> 32
  }

  /// The ticks that take at least so many nanoseconds: what a timer is set to.
  @inlinable public func ticks(nanoseconds: UInt64) -> UInt64 {
    let divisor = UInt64(multiplier)
    let high = nanoseconds >> 32
    guard divisor > high else { return .max }
    let shifted = divisor.dividingFullWidth((high, nanoseconds << 32)).quotient
    if shift >= 0 { return (shifted >> UInt64(shift)) &+ 1 }
    let right = UInt64(-Int64(shift))
    guard shifted.leadingZeroBitCount > Int(right) else { return .max }
    return (shifted + 1) << right
  }
}

/// What one processor publishes for the vcpus on it: vcpu_time_info, 32 bytes.
public struct TimeInfo: Hashable, Sendable {
  /// Counter at the last update.
  public var counter: UInt64
  /// System time then.
  public var systemTime: UInt64
  /// The scale.
  public var scale: TimeScale

  /// Time parameters.
  public init(counter: UInt64, systemTime: UInt64, scale: TimeScale) {
    self.counter = counter
    self.systemTime = systemTime
    self.scale = scale
  }

  /// System time at a later value of the counter.
  @inlinable public func systemTime(at now: UInt64) -> UInt64 {
    systemTime &+ scale.nanoseconds(ticks: now &- counter)
  }
}

extension Hypervisor {
  /// Publishes time parameters in a vcpu's vcpu_info.
  ///
  /// The version is odd while the rest changes; a guest that sees it odd, or changed, reads again.
  /// Only the processor that runs the vcpu, or one that holds the core lock for a vcpu that does not
  /// run, writes it. Stores are in order on x86; the caller's compiler barrier is the pointer.
  public func publish(
    _ time: TimeInfo, to vcpu: UnsafeMutablePointer<VCPU>, of domain: DomainPointer
  ) {
    guard let info = info(of: vcpu, in: domain) else { return }
    let base = UnsafeMutableRawPointer(info) + 32
    let version = base.load(as: UInt32.self)
    // A guest that scribbled over the version gets a consistent one again.
    let odd = version | 1
    store(odd, to: base)
    base.storeBytes(of: time.counter, toByteOffset: 8, as: UInt64.self)
    base.storeBytes(of: time.systemTime, toByteOffset: 16, as: UInt64.self)
    base.storeBytes(of: time.scale.multiplier, toByteOffset: 24, as: UInt32.self)
    base.storeBytes(of: time.scale.shift, toByteOffset: 28, as: Int8.self)
    store(odd &+ 1, to: base)
  }

  /// A locked store, which the compiler does not move others across.
  private func store(_ version: UInt32, to base: UnsafeMutableRawPointer) {
    let word = base.assumingMemoryBound(to: UInt64.self)
    var expected = word.pointee
    for _ in 0..<64 {
      let desired = expected & 0xffff_ffff_0000_0000 | UInt64(version)
      let found = machine.compareExchange(word, expected: expected, desired: desired)
      if found == expected { return }
      expected = found
    }
  }
}
