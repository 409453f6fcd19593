import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct DomainLifeTests {
  private func die(_ guest: Booted, preemptEvery: Int?) throws -> Int {
    guest.bench.hypervisor.beginDeath(of: guest.caller.domain)
    try guest.bench.recount()
    for turn in 1...10_000 {
      guest.bench.machine.preemptAfter = preemptEvery
      if (try? guest.bench.hypervisor.continueDeath(of: guest.caller.domain)) != nil { return turn }
      try guest.bench.recount()
    }
    return 0
  }

  @Test func death_returnsEveryFrame() throws {
    let guest = Booted()
    guest.caller.domain.pointee.sharedInfo = guest.bench.hypervisor.allocateShared(
      for: guest.caller.domain)
    #expect(guest.extended(15, 4) == 0)
    #expect(try die(guest, preemptEvery: nil) == 1)
    #expect(guest.bench.hypervisor.finishDeath(of: guest.caller.domain))
    #expect(guest.bench.hypervisor.state.pointee.freeCount == 62)
    #expect(guest.bench.hypervisor.domains.find(DomainID(1)) == nil)
    try guest.bench.recount()
  }

  @Test func death_isInterruptedAndGoesOn() throws {
    let guest = Booted()
    let turns = try die(guest, preemptEvery: 0)
    #expect(turns > 10)
    #expect(guest.bench.hypervisor.finishDeath(of: guest.caller.domain))
    #expect(guest.bench.hypervisor.state.pointee.freeCount == 62)
  }

  @Test func death_whileAnotherMapsAFrame_waitsForIt() throws {
    let guest = Booted(privileged: true)
    let other = guest.bench.makeDomain(2, frames: 2)
    let frame = other.frames[0].number << 12
    #expect(guest.update(guest.address(3, 20), frame | 7, foreign: 2) == 0)
    guest.bench.hypervisor.beginDeath(of: other.caller.domain)
    try guest.bench.hypervisor.continueDeath(of: other.caller.domain)
    #expect(!guest.bench.hypervisor.finishDeath(of: other.caller.domain))
    try guest.bench.recount()
    #expect(guest.update(guest.address(3, 21), frame | 7, foreign: 2) == Answer.noDomain)
    #expect(guest.update(guest.address(3, 20), 0) == 0)
    #expect(guest.bench.hypervisor.finishDeath(of: other.caller.domain))
    try guest.bench.recount()
  }

  @Test func shared_frame_isNeverATable() throws {
    let guest = Booted()
    guard let page = guest.bench.hypervisor.allocateShared(for: guest.caller.domain) else {
      Issue.record("no frame")
      return
    }
    #expect(guest.bench.extended(0, page.number, from: guest.caller) == Answer.invalid)
    #expect(guest.map(20 << 12, page.number << 12 | 7) == 0)
    #expect(guest.caller.domain.pointee.pageCount == 16)
    try guest.bench.recount()
  }
}

@Suite struct RecountTests {
  /// The checker itself: each kind of damage is found.
  @Test(arguments: 0..<6)
  func recount_damage_isFound(_ kind: Int) throws {
    let guest = Booted()
    try guest.bench.recount()
    let frames = guest.bench.hypervisor.frames
    switch kind {
    case 0: frames[guest.frames[9]].pointee.references += 1
    case 1: frames[guest.frames[9]].pointee.typeUses += 1
    case 2: guest.bench.machine.words(of: guest.frames[3])[2] |= 2
    case 3: guest.bench.machine.words(of: guest.frames[0])[260] = 7
    case 4: guest.caller.domain.pointee.pageCount += 1
    default: guest.bench.machine.writable[Int(guest.frames[3].number)] = DomainID(1)
    }
    #expect(throws: Violation.self) { try guest.bench.recount() }
  }

  @Test func fuzz_shortRun_holdsEveryInvariant() {
    let failure = fuzz(seeds: 0..<60, calls: 8)
    #expect(failure == nil, "\(failure ?? "")")
  }
}
