// What Debian's xenstored 4.17 answered on stock Xen, played once more against our store: requests,
// answers and watch events, word for word. Fixtures/README.md tells how they were recorded.

import ControlCore
import ControlCoreTesting
import Foundation
import Testing
import XenABI

/// A recorded conversation.
private final class Transcript {
  private let store = Store()
  private var clients: [Substring: StoreGuest] = [:]
  private var transactions: [Substring: UInt32] = [:]

  init() { store.domainExists = { $0 == .control } }

  private static let types: [Substring: UInt32] = [
    "read": 2, "write": 11, "mkdir": 12, "rm": 13, "directory": 1, "part": 22, "getperms": 3,
    "setperms": 14, "watch": 4, "unwatch": 5, "start": 6, "end": 7, "path": 10, "introduced": 17,
    "reset": 21, "type15": 15, "type16": 16, "type20": 20, "type24": 24, "introduce": 8,
    "release": 9, "resume": 18, "target": 19, "control": 0,
  ]

  /// The answer to a line, in the form of the record.
  func answer(_ line: String) -> String {
    let words = line.split(separator: " ")
    let client = clients[words[0]] ?? StoreGuest(store, 0)
    clients[words[0]] = client
    if words[1] == "events" {
      return "=" + client.takeEvents().map { " [\($0)]" }.joined()
    }
    guard let type = Self.types[words[1]] else { return "= ?" }
    var payload: Bytes = []
    var slot: Substring?
    for word in words.dropFirst(2) {
      if word.hasPrefix("@@") {
        slot = word.dropFirst(2)
      } else if word.hasPrefix("=") {
        payload += Bytes(word.dropFirst().utf8)
      } else {
        payload += Self.text(word) + [0]
      }
    }
    var transaction: UInt32 = 0
    if let slot, type != 6 { transaction = transactions[slot] ?? 0 }
    guard
      let answer = client.exchange(
        Xen.XenstoreType(rawValue: type), payload, transaction: transaction)
    else { return "= (closed)" }
    // Whoever watches reads at once.
    for other in clients.values { other.receive() }
    let text = answer.payload.map { $0 == 0 ? "|" : String(UnicodeScalar($0)) }.joined()
    if answer.type == .error { return "= !" + text.dropLast() }
    switch type {
    case 6:
      if let slot { transactions[slot] = UInt32(text.dropLast()) }
      return "= (number)|"
    case 22:
      return "= (generation)" + text.drop { $0 != "|" }
    default:
      return "= " + text
    }
  }

  private static func text(_ word: Substring) -> Bytes {
    if word == "empty" { return [] }
    if word == "/long" { return Bytes("/".utf8) + Bytes(repeating: 108, count: 3071) }
    if word == "/toolong" { return Bytes("/".utf8) + Bytes(repeating: 108, count: 3072) }
    if word.hasPrefix("long:") { return Bytes(repeating: 108, count: Int(word.dropFirst(5)) ?? 0) }
    return Bytes(word.utf8)
  }
}

@Suite("Store: as xenstored answers")
struct StoreTranscriptTests {
  @Test(
    "the control domain's requests are answered as recorded",
    arguments: [("xenstored-4.17", 150), ("xenstored-4.17-more", 60)])
  func control(name: String, count: Int) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/\(name).txt")
    let lines = try String(contentsOf: file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    let transcript = Transcript()
    // On the machine of the record the kernel of domain 0 had made its home, and no guest was there.
    _ = transcript.answer("0 mkdir /local")
    var compared = 0
    var last = ""
    for line in lines where !line.hasPrefix("#") {
      if line.hasPrefix("=") {
        let own = transcript.answer(last)
        #expect(own == line, "\(last)")
        compared += 1
      } else {
        last = line
      }
    }
    #expect(compared > count)
  }
}
