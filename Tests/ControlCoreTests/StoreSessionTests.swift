// Transactions, watches, domains, and the ring under a guest that does not play by the rules.

import CXenABI
import ControlCore
import ControlCoreTesting
import Testing
import XenABI

@Suite("Store: transactions")
struct StoreTransactionTests {
  let setting = StoreSetting()

  @Test("what a transaction writes is its own until it ends")
  func isolation() {
    let guest = setting.guest
    let transaction = guest.begin()
    #expect(guest.ask(.write, "data/a", value: "1", in: transaction) == "OK|")
    #expect(guest.ask(.read, "data/a", in: transaction) == "1")
    #expect(guest.ask(.directory, "data", in: transaction) == "a|")
    #expect(guest.ask(.read, "data/a") == "!ENOENT")
    #expect(guest.ask(.directory, "data") == "")
    #expect(guest.end(transaction) == "OK|")
    #expect(guest.ask(.read, "data/a") == "1")
    #expect(guest.end(transaction) == "!ENOENT")
    #expect(setting.store.isConsistent)
  }

  @Test("a dropped one leaves nothing")
  func dropped() {
    let guest = setting.guest
    let transaction = guest.begin()
    guest.ask(.write, "data/a/b", value: "1", in: transaction)
    #expect(guest.end(transaction, commit: false) == "OK|")
    #expect(guest.ask(.directory, "data") == "")
    #expect(setting.store.nodeCount(of: DomainID(5)) == 1)
  }

  @Test("a node read or written is changed meanwhile: EAGAIN, and the second try succeeds")
  func conflict() {
    let (guest, toolstack) = (setting.guest, setting.toolstack)
    guest.ask(.write, "data/count", value: "1")
    for isWrite in [false, true] {
      var transaction = guest.begin()
      let seen = guest.ask(.read, "data/count", in: transaction)
      guest.ask(.write, "data/copy", value: seen, in: transaction)
      if isWrite { guest.ask(.write, "data/count", value: "9", in: transaction) }
      toolstack.ask(.write, "/local/domain/5/data/count", value: "2")
      #expect(guest.end(transaction) == "!EAGAIN")
      #expect(guest.ask(.read, "data/copy") == "!ENOENT")
      transaction = guest.begin()
      let again = guest.ask(.read, "data/count", in: transaction)
      guest.ask(.write, "data/copy", value: again, in: transaction)
      #expect(guest.end(transaction) == "OK|")
      #expect(guest.ask(.read, "data/copy") == "2")
      guest.ask(.rm, "data/copy")
    }
  }

  @Test("a node that was not there appears, or one goes: EAGAIN")
  func appearance() {
    let (guest, toolstack) = (setting.guest, setting.toolstack)
    var transaction = guest.begin()
    #expect(guest.ask(.read, "data/a", in: transaction) == "!ENOENT")
    toolstack.ask(.write, "/local/domain/5/data/a", value: "1")
    #expect(guest.end(transaction) == "!EAGAIN")
    transaction = guest.begin()
    #expect(guest.ask(.read, "data/a", in: transaction) == "1")
    toolstack.ask(.rm, "/local/domain/5/data/a")
    #expect(guest.end(transaction) == "!EAGAIN")
  }

  @Test("removal and making of the same name inside one transaction")
  func replace() {
    let guest = setting.guest
    guest.ask(.write, "data/a/old", value: "1")
    let transaction = guest.begin()
    #expect(guest.ask(.rm, "data/a", in: transaction) == "OK|")
    #expect(guest.ask(.write, "data/a/new", value: "2", in: transaction) == "OK|")
    #expect(guest.end(transaction) == "OK|")
    #expect(guest.ask(.directory, "data/a") == "new|")
    #expect(guest.ask(.read, "data/a/old") == "!ENOENT")
    #expect(setting.store.isConsistent)
  }

  @Test("changes elsewhere are no conflict")
  func elsewhere() {
    let transaction = setting.guest.begin()
    setting.guest.ask(.write, "data/a", value: "1", in: transaction)
    setting.other.ask(.write, "data/a", value: "1")
    #expect(setting.guest.end(transaction) == "OK|")
  }

  @Test("an end that says neither T nor F ends nothing")
  func malformedEnd() {
    let guest = setting.guest
    let transaction = guest.begin()
    #expect(guest.ask(.transactionEnd, "X", in: transaction) == "!EINVAL")
    #expect(guest.ask(.transactionEnd, "T") == "!ENOENT")
    #expect(guest.end(transaction) == "OK|")
  }
}

@Suite("Store: watches")
struct StoreWatchTests {
  let setting = StoreSetting()

  @Test("fires at once, then once for every change at or below, and for nothing else")
  func firing() {
    let (guest, toolstack) = (setting.guest, setting.toolstack)
    #expect(toolstack.ask(.watch, "/local/domain/5/data", "tok") == "OK|")
    #expect(toolstack.takeEvents() == ["/local/domain/5/data tok"])
    guest.ask(.write, "data/a", value: "1")
    #expect(toolstack.takeEvents() == ["/local/domain/5/data/a tok"])
    guest.ask(.write, "data/x/y/z", value: "1")
    #expect(toolstack.takeEvents() == ["/local/domain/5/data/x/y/z tok"])
    guest.ask(.rm, "data/x")
    #expect(toolstack.takeEvents() == ["/local/domain/5/data/x tok"])
    guest.ask(.setPerms, "data", "n5", "r6")
    #expect(toolstack.takeEvents() == ["/local/domain/5/data tok"])
    toolstack.ask(.write, "/local/domain/5/database", value: "1")
    guest.ask(.read, "data/a")
    #expect(toolstack.takeEvents() == [])
    #expect(toolstack.ask(.unwatch, "/local/domain/5/data", "other") == "!ENOENT")
    #expect(toolstack.ask(.unwatch, "/local/domain/5/data", "tok") == "OK|")
    guest.ask(.write, "data/a", value: "2")
    #expect(toolstack.takeEvents() == [])
  }

  @Test("a watch below a removed node fires with its own name")
  func removalAbove() {
    let (guest, toolstack) = (setting.guest, setting.toolstack)
    guest.ask(.write, "data/a/b/c", value: "1")
    toolstack.ask(.watch, "/local/domain/5/data/a/b", "below")
    toolstack.ask(.watch, "/local/domain/5", "above")
    _ = toolstack.takeEvents()
    guest.ask(.rm, "data/a")
    #expect(
      toolstack.takeEvents().sorted() == [
        "/local/domain/5/data/a above", "/local/domain/5/data/a/b below",
      ])
  }

  @Test("a relative watch shows relative names; the same watch twice is EEXIST")
  func relative() {
    let guest = setting.guest
    #expect(guest.ask(.watch, "data", "t") == "OK|")
    #expect(guest.ask(.watch, "data", "t") == "!EEXIST")
    #expect(guest.ask(.watch, "/local/domain/5/data", "t") == "!EEXIST")
    #expect(guest.ask(.watch, "data", "u") == "OK|")
    _ = guest.takeEvents()
    guest.ask(.write, "data/a", value: "1")
    #expect(guest.takeEvents().sorted() == ["data/a t", "data/a u"])
  }

  @Test("a transaction's changes fire at its end, each node once")
  func transaction() {
    let (guest, toolstack) = (setting.guest, setting.toolstack)
    toolstack.ask(.watch, "/local/domain/5", "t")
    _ = toolstack.takeEvents()
    var transaction = guest.begin()
    guest.ask(.write, "data/a", value: "1", in: transaction)
    guest.ask(.write, "data/a", value: "2", in: transaction)
    guest.ask(.write, "data/b", value: "2", in: transaction)
    #expect(toolstack.takeEvents() == [])
    #expect(guest.end(transaction) == "OK|")
    #expect(toolstack.takeEvents() == ["/local/domain/5/data/a t", "/local/domain/5/data/b t"])
    transaction = guest.begin()
    guest.ask(.write, "data/a", value: "3", in: transaction)
    #expect(guest.end(transaction, commit: false) == "OK|")
    #expect(toolstack.takeEvents() == [])
  }

  @Test("events of unreadable nodes do not come, except through a readable parent")
  func permissions() {
    let (guest, other) = (setting.guest, setting.other)
    #expect(other.ask(.watch, "/local/domain/5/data", "t") == "OK|")
    #expect(other.takeEvents() == ["/local/domain/5/data t"])
    guest.ask(.write, "data/a", value: "1")
    #expect(other.takeEvents() == [])
    guest.ask(.setPerms, "data/a", "n5", "r6")
    #expect(other.takeEvents() == ["/local/domain/5/data/a t"])
    guest.ask(.write, "data/secret", value: "1")
    guest.ask(.rm, "data/secret")
    #expect(other.takeEvents() == [])
    guest.ask(.rm, "data/a")
    #expect(other.takeEvents() == ["/local/domain/5/data/a t"])
    guest.ask(.setPerms, "data", "r5")
    _ = other.takeEvents()
    guest.ask(.mkdir, "data/n")
    #expect(other.takeEvents() == ["/local/domain/5/data/n t"])
  }

  @Test("domains that come and go, for those who may know")
  func special() {
    let toolstack = setting.toolstack
    #expect(toolstack.ask(.watch, "@introduceDomain", "i") == "OK|")
    #expect(toolstack.ask(.watch, "@releaseDomain", "r") == "OK|")
    #expect(setting.guest.ask(.watch, "@releaseDomain", "r") == "OK|")
    #expect(toolstack.takeEvents().sorted() == ["@introduceDomain i", "@releaseDomain r"])
    #expect(setting.guest.takeEvents() == ["@releaseDomain r"])
    toolstack.ask(.introduce, "9", "1", "1")
    #expect(toolstack.takeEvents() == ["@introduceDomain i"])
    toolstack.ask(.release, "9")
    #expect(toolstack.takeEvents() == ["@releaseDomain r"])
    #expect(setting.guest.takeEvents() == [])
    #expect(toolstack.ask(.setPerms, "@releaseDomain", "n0", "r5") == "OK|")
    _ = (toolstack.takeEvents(), setting.guest.takeEvents())
    toolstack.ask(.introduce, "9", "1", "1")
    toolstack.ask(.release, "9")
    #expect(setting.guest.takeEvents() == ["@releaseDomain r"])
    #expect(setting.guest.ask(.write, "@releaseDomain", value: "x") == "!EINVAL")
    #expect(toolstack.ask(.write, "@other", value: "x") == "!EINVAL")
  }

  @Test("129 watches, as with xenstored, then E2BIG; a reset ends them and the transactions")
  func quota() {
    let guest = setting.guest
    for index in 0..<129 { #expect(guest.ask(.watch, "data", "\(index)") == "OK|") }
    #expect(guest.ask(.watch, "data", "x") == "!E2BIG")
    let transaction = guest.begin()
    #expect(guest.ask(.resetWatches, "") == "OK|")
    #expect(guest.end(transaction) == "!ENOENT")
    _ = guest.takeEvents()
    guest.ask(.write, "data/a", value: "1")
    #expect(guest.takeEvents() == [])
    #expect(guest.ask(.watch, "data", "x") == "OK|")
  }

  @Test("a client that takes nothing hears later of every watch, and stops nobody")
  func slowClient() {
    let (guest, toolstack) = (setting.guest, setting.toolstack)
    guest.ask(.watch, "data", "first")
    guest.ask(.watch, "data/deep", "second")
    _ = guest.takeEvents()
    for index in 0..<5000 {
      #expect(toolstack.ask(.write, "/local/domain/5/data/\(index)", value: "x") == "OK|")
    }
    let events = guest.takeEvents()
    #expect(events.count < 5000)
    #expect(events.suffix(2) == ["data first", "data/deep second"])
    toolstack.ask(.write, "/local/domain/5/data/z", value: "x")
    #expect(guest.takeEvents() == ["data/z first"])
  }

  @Test("the same event does not wait twice")
  func coalescing() {
    let (guest, toolstack) = (setting.guest, setting.toolstack)
    guest.ask(.watch, "data", "t")
    _ = guest.takeEvents()
    for _ in 0..<100 { toolstack.ask(.write, "/local/domain/5/data/a", value: "x") }
    let events = guest.takeEvents()
    #expect(events.count >= 1 && events.count <= 2)
  }
}

@Suite("Store: domains")
struct StoreDomainTests {
  let setting = StoreSetting()

  @Test("paths and introduction")
  func asking() {
    #expect(setting.guest.ask(.getDomainPath, "12") == "/local/domain/12|")
    #expect(setting.guest.ask(.getDomainPath, "x") == "/local/domain/0|")
    #expect(setting.guest.ask(.getDomainPath, "12", "13") == "!EINVAL")
    #expect(setting.toolstack.ask(.isDomainIntroduced, "40000") == "F|")
    #expect(setting.toolstack.ask(.isDomainIntroduced, "6") == "T|")
    #expect(setting.toolstack.ask(.isDomainIntroduced, "0") == "T|")
    #expect(setting.toolstack.ask(.isDomainIntroduced, "7") == "F|")
    #expect(setting.guest.ask(.isDomainIntroduced, "6") == "!EACCES")
  }

  @Test("introductions and releases by request")
  func mapping() {
    setting.toolstack.ask(.introduce, "9", "74565", "17")
    #expect(setting.store.isIntroduced(DomainID(9)))
    #expect(setting.toolstack.ask(.introduce, "0", "1", "1") == "!EINVAL")
    #expect(setting.toolstack.ask(.introduce, "9", "1") == "!EINVAL")
    #expect(setting.toolstack.ask(.resume, "9") == "OK|")
    #expect(setting.toolstack.ask(.resume, "8") == "!ENOENT")
    #expect(setting.toolstack.ask(.release, "9") == "OK|")
    #expect(setting.toolstack.ask(.release, "9") == "!ENOENT")
    #expect(!setting.store.isIntroduced(DomainID(9)))
  }

  @Test("a later domain of the same number owns nothing of the dead one's")
  func reuse() {
    let toolstack = setting.toolstack
    setting.guest.ask(.write, "data/secret", value: "1")
    setting.other.ask(.setPerms, "data", "n6", "b5")
    toolstack.ask(.release, "5")
    toolstack.ask(.introduce, "5", "1", "1")
    let next = StoreGuest(setting.store, 5)
    #expect(next.ask(.read, "data/secret") == "!EACCES")
    #expect(next.ask(.read, "/local/domain/6/data") == "!EACCES")
    #expect(setting.store.nodeCount(of: DomainID(5)) == 0)
    #expect(setting.store.isConsistent)
  }

  @Test("control: check and quota")
  func control() {
    #expect(setting.toolstack.ask(.control, "check") == "OK|")
    #expect(
      setting.toolstack.ask(.control, "quota", "5") == "nodes 1\nwatches 0\ntransactions 0\n|")
    #expect(setting.toolstack.ask(.control, "help").hasPrefix("help\n"))
    #expect(setting.toolstack.ask(.control, "explode") == "!EINVAL")
  }
}

@Suite("Store: the ring")
struct StoreRingTests {
  let setting = StoreSetting()

  @Test("a request arrives byte by byte, and several at once")
  func pieces() {
    let guest = setting.guest
    let one = StoreMessage(type: .getDomainPath, request: 7, payload: Bytes("3\0".utf8)).bytes
    for byte in one { guest.send([byte]) }
    guest.receive()
    #expect(guest.nextMessage()?.payload == Bytes("/local/domain/3\0".utf8))
    guest.send(one + one + one)
    guest.receive()
    for _ in 0..<3 { #expect(guest.nextMessage()?.request == 7) }
    #expect(guest.nextMessage() == nil)
  }

  @Test("the longest value passes through a ring of 1024 bytes")
  func longest() {
    let path = Bytes("/long\0".utf8)
    let value = Bytes((0..<(4096 - path.count)).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    #expect(setting.toolstack.exchange(.write, path + value)?.payload == Bytes("OK\0".utf8))
    #expect(setting.toolstack.exchange(.read, path)?.payload == value)
  }

  @Test("a payload too long ends the service, and a reset begins it anew")
  func tooLong() {
    let guest = setting.guest
    guest.ask(.watch, "data", "t")
    var header = StoreMessage(type: .read, payload: []).bytes
    header.replaceSubrange(12..<16, with: [1, 0x10, 0, 0])
    guest.send(header)
    #expect(!guest.channel.isServed)
    #expect(guest.page.pointee.error == Xen.XenstoreError.proto.rawValue)
    #expect(guest.ask(.read, "data") == "(nothing)")
    guest.page.pointee.connection = Xen.XenstoreConnection.reconnect.rawValue
    _ = guest.channel.run()
    #expect(guest.page.pointee.connection == Xen.XenstoreConnection.connected.rawValue)
    #expect(guest.page.pointee.error == 0)
    guest.reconnect()
    #expect(guest.ask(.read, "data") == "")
    guest.ask(.write, "data/a", value: "1")
    #expect(guest.takeEvents() == [])
  }

  @Test("impossible indexes end the service of that guest only")
  func indexes() {
    setting.guest.page.pointee.req_prod = setting.guest.page.pointee.req_cons &+ 1025
    _ = setting.guest.channel.run()
    #expect(!setting.guest.channel.isServed)
    #expect(setting.guest.page.pointee.error == Xen.XenstoreError.ringidx.rawValue)
    #expect(setting.other.ask(.write, "data/a", value: "1") == "OK|")
  }

  @Test("requests wait in the ring while their answers are not taken")
  func bounded() {
    let guest = setting.guest
    guest.ask(.write, "data/a", value: String(repeating: "x", count: 1500))
    let request = StoreMessage(type: .read, payload: Bytes("data/a\0".utf8)).bytes
    var accepted = 0
    for _ in 0..<10_000 where guest.send(request) == request.count { accepted += 1 }
    // Some answers wait in the store, one ring of requests waits with the guest.
    #expect(accepted < 64)
    #expect(setting.other.ask(.write, "data/a", value: "1") == "OK|")
    guest.receive()
    var answers = 0
    while guest.nextMessage() != nil { answers += 1 }
    #expect(answers >= accepted)
  }

  @Test("one call serves a bounded number of requests and says that there are more")
  func turns() {
    let guest = setting.guest
    let request = StoreMessage(type: .getDomainPath, payload: Bytes("3\0".utf8)).bytes
    var many: Bytes = []
    for _ in 0..<20 { many += request }
    guest.send(many)
    #expect(guest.channel.run(requests: 3).more)
  }
}
