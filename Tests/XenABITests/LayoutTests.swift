// What Swift sees of the generated header is what abi/ says, field by field; and rings work.

import CXenABI
import Testing
import XenABI

@Suite struct LayoutTests {
  @Test func layouts_ofAllStructures_areThoseOfTheABI() {
    let facts = LayoutFacts.all
    for fact in facts {
      #expect(fact.found == fact.expected, "\(fact.name)")
    }
    print("\(facts.count) sizes and offsets compared")
    #expect(facts.count > 1_000)
  }

  @Test func check_negativeResult_isAnError() throws {
    #expect(try Xen.check(5) == 5)
    #expect(throws: Xen.HypercallError(code: 22)) { try Xen.check(-22) }
  }

  @Test func ring_requestAndResponse_crossThePage() throws {
    let page = UnsafeMutableRawPointer.allocate(byteCount: 4_096, alignment: 4_096)
    defer { page.deallocate() }
    var front = try #require(
      Xen.FrontRing<UInt64, UInt32>(unsafePage: page, byteCount: 4_096))
    var back = try #require(Xen.BackRing<UInt64, UInt32>(unsafePage: page, byteCount: 4_096))
    let isPut = front.put(42)
    let wantsRequest = front.push()
    #expect(isPut && wantsRequest)
    let request = try back.take()
    let nothing = try back.take()
    #expect(request == 42 && nothing == nil)
    let isAnswered = back.put(7)
    let wantsResponse = back.push()
    #expect(isAnswered && wantsResponse)
    let response = try front.take()
    #expect(response == 7)
    let isAnsweredTwice = back.put(8)
    #expect(!isAnsweredTwice, "there is no request to answer")
  }
}
