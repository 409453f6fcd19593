// The tree, permissions and quotas, all through a guest's ring.

import ControlCore
import ControlCoreTesting
import Testing
import XenABI

/// A store with a toolstack and guests whose homes are made as `xl` makes them.
struct StoreSetting {
  let store = Store()
  let toolstack: StoreGuest
  let guest: StoreGuest
  let other: StoreGuest

  init() {
    toolstack = StoreGuest(store, 0)
    guest = StoreGuest(store, 5)
    other = StoreGuest(store, 6)
    for domain in ["5", "6"] {
      toolstack.ask(.introduce, domain, "4096", "1")
      toolstack.ask(.mkdir, "/local/domain/\(domain)")
      toolstack.ask(.setPerms, "/local/domain/\(domain)", "n0", "r\(domain)")
      toolstack.ask(.mkdir, "/local/domain/\(domain)/data")
      toolstack.ask(.setPerms, "/local/domain/\(domain)/data", "n\(domain)")
    }
    _ = toolstack.takeEvents()
  }
}

@Suite("Store: nodes")
struct StoreNodeTests {
  let setting = StoreSetting()

  @Test("a written value is read back, bytes and length")
  func writeAndRead() {
    let guest = setting.guest
    #expect(guest.ask(.write, "data/a", value: "with\0zero") == "OK|")
    #expect(guest.ask(.read, "data/a") == "with|zero")
    #expect(guest.ask(.read, "/local/domain/5/data/a") == "with|zero")
    #expect(guest.ask(.write, "data/a") == "OK|")
    #expect(guest.ask(.read, "data/a") == "")
    #expect(setting.store.isConsistent)
  }

  @Test("nodes above are made too, listed in the order of making")
  func parents() {
    let guest = setting.guest
    #expect(guest.ask(.write, "data/z/y/x", value: "1") == "OK|")
    #expect(guest.ask(.mkdir, "data/b") == "OK|")
    #expect(guest.ask(.mkdir, "data/b") == "OK|")
    #expect(guest.ask(.directory, "data") == "z|b|")
    #expect(guest.ask(.directory, "data/z") == "y|")
    #expect(guest.ask(.read, "data/z/y") == "")
    #expect(setting.store.nodeCount(of: DomainID(5)) == 5)
  }

  @Test("removing takes everything below along")
  func removal() {
    let guest = setting.guest
    guest.ask(.write, "data/a/b/c", value: "1")
    #expect(guest.ask(.rm, "data/a") == "OK|")
    #expect(guest.ask(.read, "data/a/b/c") == "!ENOENT")
    #expect(guest.ask(.directory, "data") == "")
    #expect(guest.ask(.rm, "data/a") == "OK|")
    #expect(guest.ask(.rm, "data/a/b") == "!ENOENT")
    #expect(setting.toolstack.ask(.rm, "/") == "!EINVAL")
    #expect(setting.store.nodeCount(of: DomainID(5)) == 1)
    #expect(setting.store.isConsistent)
  }

  @Test(
    "malformed names are EINVAL",
    arguments: ["", "/a/", "//a", "/a//b", "a b", "/a.b", "/a\u{e4}", "/\u{1}"])
  func malformed(path: String) {
    #expect(setting.toolstack.ask(.read, path) == "!EINVAL")
    #expect(setting.toolstack.ask(.write, path, value: "x") == "!EINVAL")
  }

  @Test("names as long as allowed, and one byte longer")
  func longNames() {
    let toolstack = setting.toolstack
    let longest = "/" + String(repeating: "a", count: 3070)
    #expect(toolstack.ask(.write, longest, value: "x") == "OK|")
    #expect(toolstack.ask(.write, longest + "a", value: "x") == "!EINVAL")
    #expect(setting.guest.ask(.read, String(repeating: "a", count: 2048)) == "!ENOENT")
    #expect(setting.guest.ask(.read, String(repeating: "a", count: 2049)) == "!EINVAL")
  }

  @Test("requests without their zero bytes are EINVAL, unknown ones ENOSYS")
  func malformedRequests() {
    let guest = setting.guest
    for type: Xen.XenstoreType in [
      .read, .write, .mkdir, .rm, .directory, .directoryPart, .getPerms, .setPerms, .watch,
      .unwatch, .transactionEnd, .getDomainPath,
    ] {
      let answer = guest.exchange(type, Bytes("data".utf8))
      #expect(answer?.type == .error)
      #expect(answer?.payload == Bytes("EINVAL\0".utf8))
      #expect(guest.exchange(type, [])?.payload == Bytes("EINVAL\0".utf8))
    }
    for type: UInt32 in [15, 16, 20, 23, 24, 65535, .max] {
      #expect(guest.ask(Xen.XenstoreType(rawValue: type), "data") == "!ENOSYS")
    }
    #expect(guest.ask(.read, "data", in: 77) == "!ENOENT")
  }

  @Test("a long listing comes in parts that fit together")
  func parts() {
    let toolstack = setting.toolstack
    let names = (0..<600).map { "a-rather-long-name-\($0)" }
    for name in names { toolstack.ask(.mkdir, "/many/\(name)") }
    #expect(toolstack.ask(.directory, "/many") == "!E2BIG")
    var gathered: [Substring] = []
    var offset = 0
    var generations: Set<Substring> = []
    while true {
      let answer = toolstack.ask(.directoryPart, "/many", "\(offset)")
      #expect(answer.utf8.count <= 4096)
      let texts = answer.dropLast().split(separator: "|", omittingEmptySubsequences: false)
      generations.insert(texts[0])
      let part = texts.dropFirst().filter { !$0.isEmpty }
      gathered += part
      offset += part.reduce(0) { $0 + $1.utf8.count + 1 }
      if texts.last == "" || part.isEmpty { break }
    }
    #expect(gathered.map(String.init) == names)
    #expect(generations.count == 1)
    #expect(
      toolstack.ask(.directoryPart, "/many", "x") == toolstack.ask(.directoryPart, "/many", "0"))
    #expect(toolstack.ask(.directoryPart, "/many", "18446744073709551615").hasSuffix("||"))
  }
}

@Suite("Store: permissions")
struct StorePermissionTests {
  let setting = StoreSetting()

  @Test("a guest reads its home and writes only where it owns")
  func home() {
    let guest = setting.guest
    #expect(guest.ask(.write, "new", value: "x") == "!EACCES")
    #expect(guest.ask(.directory, "/local/domain/5") == "data|")
    #expect(guest.ask(.read, "/local/domain/6") == "!EACCES")
    #expect(guest.ask(.read, "/local/domain/6/data") == "!EACCES")
    #expect(guest.ask(.read, "/nothing") == "!EACCES")
    #expect(guest.ask(.read, "nothing") == "!ENOENT")
    #expect(guest.ask(.rm, "/local/domain/5") == "!EACCES")
  }

  @Test("a new node has its parent's permissions and its maker as owner")
  func inheritance() {
    let (guest, other) = (setting.guest, setting.other)
    guest.ask(.setPerms, "data", "r5", "b6")
    guest.ask(.write, "data/own", value: "1")
    #expect(guest.ask(.getPerms, "data/own") == "r5|b6|")
    #expect(other.ask(.write, "/local/domain/5/data/theirs", value: "2") == "OK|")
    #expect(guest.ask(.getPerms, "data/theirs") == "r6|b6|")
    // The owner of a directory does not own what others put there.
    #expect(guest.ask(.read, "data/theirs") == "2")
    #expect(guest.ask(.write, "data/theirs", value: "3") == "!EACCES")
    setting.toolstack.ask(.write, "/local/domain/5/data/tools", value: "4")
    #expect(guest.ask(.getPerms, "data/tools") == "r5|b6|")
  }

  @Test("only the owner changes permissions, and gives nothing away")
  func setting_() {
    let (guest, other) = (setting.guest, setting.other)
    #expect(guest.ask(.setPerms, "data", "n5", "r6") == "OK|")
    #expect(other.ask(.setPerms, "/local/domain/5/data", "b6") == "!EACCES")
    #expect(guest.ask(.setPerms, "data", "n6") == "!EPERM")
    #expect(setting.toolstack.ask(.setPerms, "/local/domain/5/data", "n6") == "OK|")
    #expect(guest.ask(.setPerms, "/local/domain/5", "n5") == "!EACCES")
    for bad in ["", "x5", "r", "r5x", "r-", "5"] {
      #expect(setting.toolstack.ask(.setPerms, "/local", bad) == "!EINVAL")
    }
    for absent in ["r99999", "r-1", "r32752"] {
      #expect(setting.toolstack.ask(.setPerms, "/local", absent) == "!ENOENT")
    }
    #expect(setting.toolstack.ask(.setPerms, "/local") == "!EINVAL")
    #expect(setting.store.isConsistent)
  }

  @Test("read, write, both and none do what they say")
  func letters() {
    let (guest, other) = (setting.guest, setting.other)
    let path = "/local/domain/5/data/x"
    guest.ask(.write, "data/x", value: "1")
    for (letter, reads, writes) in [
      ("n", false, false), ("r", true, false), ("w", false, true), ("b", true, true),
    ] {
      guest.ask(.setPerms, "data/x", "n5", letter + "6")
      #expect(other.ask(.read, path) == (reads ? "1" : "!EACCES"))
      #expect(other.ask(.write, path, value: "1") == (writes ? "OK|" : "!EACCES"))
      guest.ask(.setPerms, "data/x", letter + "5")
      #expect(other.ask(.read, path) == (reads ? "1" : "!EACCES"))
      #expect(other.ask(.write, path, value: "1") == (writes ? "OK|" : "!EACCES"))
    }
  }

  @Test("toolstack requests are refused to guests")
  func privileged() {
    let guest = setting.guest
    #expect(guest.ask(.introduce, "7", "1", "1") == "!EACCES")
    #expect(guest.ask(.release, "6") == "!EACCES")
    #expect(guest.ask(.resume, "6") == "!EACCES")
    #expect(guest.ask(.setTarget, "5", "6") == "!EACCES")
    #expect(guest.ask(.control, "check") == "!EACCES")
  }

  @Test("a target's rights are the client's as well")
  func target() {
    #expect(setting.toolstack.ask(.setTarget, "5", "6") == "OK|")
    #expect(setting.guest.ask(.write, "/local/domain/6/data/a", value: "1") == "OK|")
    #expect(setting.other.ask(.write, "/local/domain/5/data/a", value: "1") == "!EACCES")
    #expect(setting.toolstack.ask(.setTarget, "5", "0") == "!EINVAL")
    #expect(setting.toolstack.ask(.setTarget, "5", "9") == "!ENOENT")
  }
}

@Suite("Store: quotas")
struct StoreQuotaTests {
  let setting = StoreSetting()

  @Test("nodes: the thousandth is the last, whether one by one or in a deep name")
  func nodes() {
    let guest = setting.guest
    var made = 0
    while made < 1100 {
      // A directory holds some 2000 bytes of names.
      guard guest.ask(.mkdir, "data/d\(made / 100)/\(made)") == "OK|" else { break }
      made += 1
    }
    #expect(setting.store.nodeCount(of: DomainID(5)) == 1000)
    #expect(guest.ask(.mkdir, "data/d0/more") == "!ENOSPC")
    #expect(setting.other.ask(.mkdir, "data/fine") == "OK|")
    let deep = "data" + String(repeating: "/x", count: 1000)
    #expect(setting.other.ask(.mkdir, deep) == "!ENOSPC")
    guest.ask(.rm, "data/d0")
    #expect(guest.ask(.mkdir, "data/d1/again") == "OK|")
    #expect(setting.store.isConsistent)
  }

  @Test("size of a node: value, names and permissions together")
  func size() {
    let guest = setting.guest
    #expect(guest.ask(.write, "data/a", value: String(repeating: "x", count: 2015)) == "OK|")
    #expect(guest.ask(.write, "data/a", value: String(repeating: "x", count: 2016)) == "!ENOSPC")
    #expect(guest.ask(.read, "data/a").count == 2015)
    #expect(guest.ask(.setPerms, "data/a", "n5", "r6") == "!ENOSPC")
    #expect(guest.ask(.setPerms, "data/a", "n5", "r1", "r2", "r3", "r4", "r6") == "!ENOSPC")
    let name = String(repeating: "n", count: 200)
    var made = 0
    while guest.ask(.mkdir, "data/b/\(name)\(made)") == "OK|" { made += 1 }
    #expect(made == 9)
    #expect(setting.toolstack.ask(.mkdir, "/local/domain/5/data/b/\(name)x") == "OK|")
  }

  @Test("bytes: long names fill a domain's share before its nodes do, in transactions too")
  func bytes() {
    let guest = setting.guest
    let name = "data/" + String(repeating: "l", count: 1800)
    for index in 0..<10 {
      guest.ask(.mkdir, "data/\(index)/" + String(repeating: "l", count: 1800))
    }
    var made = 0
    while made < 1000 {
      let value = String(repeating: "x", count: 1900)
      guard guest.ask(.write, "data/\(made / 100)v/\(made)", value: value) == "OK|" else { break }
      made += 1
    }
    #expect(made > 400 && made < 600)
    #expect(guest.ask(.write, "data/0", value: "x") == "!ENOSPC")
    #expect(setting.other.ask(.mkdir, "data/fine") == "OK|")
    let transaction = guest.begin()
    var looked = 0
    while looked < 1000, guest.ask(.read, name + "\(looked)", in: transaction) == "!ENOENT" {
      looked += 1
    }
    #expect(looked > 100 && looked < 150)
    guest.ask(.rm, "data/1v")
    #expect(guest.ask(.write, "data/0", value: "x") == "OK|")
    #expect(setting.store.isConsistent)
  }

  @Test("transactions: eleven at once, as with xenstored, a thousand nodes in each")
  func transactions() {
    let guest = setting.guest
    var open: [UInt32] = []
    for _ in 0..<11 { open.append(guest.begin()) }
    #expect(Set(open).count == 11 && !open.contains(0))
    #expect(guest.ask(.transactionStart, "") == "!ENOSPC")
    #expect(guest.end(open[3], commit: false) == "OK|")
    open[3] = guest.begin()
    #expect(open[3] != 0)
    var looked = 0
    while looked < 2000, guest.ask(.read, "data/\(looked)", in: open[0]) == "!ENOENT" {
      looked += 1
    }
    #expect(looked == 1023)
    #expect(guest.ask(.read, "data/other", in: open[0]) == "!ENOSPC")
    #expect(guest.ask(.transactionStart, "", in: open[0]) == "!EBUSY")
    #expect(setting.other.ask(.read, "data", in: open[0]) == "!ENOENT")
  }

  @Test("a transaction cannot exceed the nodes either")
  func nodesInTransaction() {
    let guest = setting.guest
    let transaction = guest.begin()
    var made = 0
    while made < 1100,
      guest.ask(.mkdir, "data/d\(made / 100)/\(made)", in: transaction) == "OK|"
    {
      made += 1
    }
    #expect(made > 900 && made < 1000)
    #expect(guest.end(transaction) == "OK|")
    #expect(setting.store.nodeCount(of: DomainID(5)) <= 1000)
    #expect(setting.store.isConsistent)
  }
}
