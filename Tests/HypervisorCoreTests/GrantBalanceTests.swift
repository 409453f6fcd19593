import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct GrantBalanceTests {
  private func balance(_ pair: GrantBench, of caller: Caller) -> GrantBalance {
    pair.bench.hypervisor.grantBalance(of: caller.domain)
  }

  @Test func nothingGranted_isNothingLeft() {
    let pair = GrantBench()
    #expect(balance(pair, of: pair.granter) == GrantBalance())
  }

  @Test func entriesThatGrant_areCounted_andThoseOfTheToolstackAreNot() {
    let pair = GrantBench()
    pair.grant(1, pair.own[9])
    pair.grant(9, pair.own[9])
    pair.grant(12, pair.own[4], flags: GTF_permit_access | GTF_readonly)
    pair.grant(13, pair.own[4], flags: GTF_invalid)
    let left = balance(pair, of: pair.granter)
    #expect(left.granted == 2 && left.used == 0 && left.first == 9 && left.mapped == 0)
  }

  @Test func uses_areCountedOnBothSides_untilTheUnmap() {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    #expect(pair.map(8) == GNTST_okay)
    #expect(balance(pair, of: pair.granter).used == 1)
    #expect(balance(pair, of: pair.mapper).mapped == 1)
    #expect(pair.unmap(pair.handle) == GNTST_okay)
    #expect(balance(pair, of: pair.granter).used == 0)
    #expect(balance(pair, of: pair.granter).granted == 1, "the granter has not taken it back")
    #expect(balance(pair, of: pair.mapper).mapped == 0)
    pair.grant(8, pair.own[9], flags: GTF_invalid)
    #expect(balance(pair, of: pair.granter) == GrantBalance())
  }

  @Test func entriesEndedInUse_areCounted_whileTheyAreUsedAndLater() {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    #expect(pair.map(8) == GNTST_okay)
    #expect(balance(pair, of: pair.granter).torn == 0)
    pair.grant(8, pair.own[9], flags: GTF_invalid)
    #expect(balance(pair, of: pair.granter).torn == 1)
    #expect(balance(pair, of: pair.granter).tornFrame == pair.own[9])
    #expect(pair.unmap(pair.handle) == GNTST_okay)
    #expect(balance(pair, of: pair.granter).torn == 1)
  }

  @Test func entriesUsedForAnotherPage_areEndedInUse() {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    #expect(pair.map(8) == GNTST_okay)
    pair.grant(8, pair.own[4])
    #expect(pair.unmap(pair.handle) == GNTST_okay)
    #expect(balance(pair, of: pair.granter).tornFrame == pair.own[9])
  }
}
