// The core lock, over all that HypervisorCore keeps. Each CPU has a part of it in its own block, in a cache
// line that others rarely touch. What concerns one domain, or only reads, takes the part of its own CPU,
// and so runs beside what others do; everything else takes all parts, and is alone. What may be done
// under a part stands in HypervisorCore's Locality.swift.
//
//     CPU 0: mmu_update of d1     [part 0]            lock of d1
//     CPU 1: event of d2                   [part 1]
//     CPU 1: grant is mapped      [part 0] [part 1]   waits until both are free

import CMachine
import HypervisorCore

/// The core lock.
enum CoreLock {
  @inline(__always)
  private static var part: SpinLock { part(of: xg_this_cpu()) }

  @inline(__always)
  private static func part(of cpu: UnsafeMutablePointer<xg_percpu>) -> SpinLock {
    SpinLock(xg_core_lock(cpu))
  }

  /// Takes the part of this CPU.
  @inline(__always) static func takePart() { part.take() }

  /// Lets others have it.
  @inline(__always) static func releasePart() { part.release() }

  /// Takes all parts, from CPU 0 on, so that two that want them do not wait for each other.
  ///
  /// Whoever takes its own part again and again is made to wait by one that starves for it, as at every
  /// lock: so none waits for ever.
  @inline(never) static func takeAll() {
    for index in 0..<Processors.count { part(of: PerCPU.data(index)).take() }
    xg_this_cpu().pointee.holds_all = 1
  }

  /// Lets others have them.
  @inline(never) static func releaseAll() {
    xg_this_cpu().pointee.holds_all = 0
    for index in 0..<Processors.count { part(of: PerCPU.data(index)).release() }
  }

  /// Takes this CPU's part, and the lock of a domain.
  @inline(__always) static func take(_ domain: DomainPointer) {
    takePart()
    lock(of: domain).take()
  }

  /// Lets others have both.
  @inline(__always) static func release(_ domain: DomainPointer) {
    lock(of: domain).release()
    releasePart()
  }

  @inline(__always)
  private static func lock(of domain: DomainPointer) -> SpinLock {
    SpinLock(Hypervisor<MetalMachine>.lock(of: domain))
  }

  /// Whether what was done under a part wants the whole lock to go on.
  static func isAskedForAll() -> Bool {
    defer { xg_this_cpu().pointee.asks_for_all = 0 }
    return xg_this_cpu().pointee.asks_for_all != 0
  }
}

extension SpinLock {
  /// The lock that HypervisorCore keeps for a domain.
  @inline(__always) init(_ lock: UnsafeMutablePointer<DomainLock>) {
    // SAFETY: both are two words of 32 bits, `held` and `starving`.
    self.init(UnsafeMutableRawPointer(lock).assumingMemoryBound(to: xg_lock.self))
  }
}

/// Does something with nobody else in the core.
@inline(__always)
func withCore<Result>(_ body: () -> Result) -> Result {
  CoreLock.takeAll()
  defer { CoreLock.releaseAll() }
  return body()
}

/// Does something with nobody else in the core that may be refused.
@inline(__always)
func withCore<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  CoreLock.takeAll()
  defer { CoreLock.releaseAll() }
  return try body()
}

/// Does something that changes nothing of the core's but what is changed atomically.
@inline(__always)
func withPart<Result>(_ body: () -> Result) -> Result {
  CoreLock.takePart()
  defer { CoreLock.releasePart() }
  return body()
}

/// Carries out a hypercall that most often concerns its own domain alone: under the domain's lock, and where
/// it meets a state of others, under the whole core lock from there on.
@inline(__always)
func withDomain(_ domain: DomainPointer, _ body: () -> HypercallResult) -> HypercallResult {
  // A loop, so that there is one call of `body`, which is large and becomes part of this.
  var isAlone = false
  while true {
    if isAlone { CoreLock.takeAll() } else { CoreLock.take(domain) }
    let result = body()
    if isAlone { CoreLock.releaseAll() } else { CoreLock.release(domain) }
    guard result == .again, !isAlone, CoreLock.isAskedForAll() else { return result }
    isAlone = true
  }
}

/// Likewise what is no hypercall.
@inline(__always)
func withDomain<Result>(
  _ domain: DomainPointer, _ body: () throws(MemoryError) -> Result
) throws(MemoryError) -> Result {
  do throws(MemoryError) {
    CoreLock.take(domain)
    defer { CoreLock.release(domain) }
    return try body()
  } catch {
    guard error == .preempted, CoreLock.isAskedForAll() else { throw error }
    return try withCore(body)
  }
}

/// Carries out a hypercall that takes the locks of domains itself.
@inline(__always)
func withPartOrAll(_ body: () -> HypercallResult) -> HypercallResult {
  let result = withPart(body)
  guard result == .again, CoreLock.isAskedForAll() else { return result }
  return withCore(body)
}
