// What the lives of drivers have in common: the frontends that there is one of, words of the command
// line, and lines that say yes or no.

import CXenABI
import Kernel

/// A second.
let second: UInt64 = 1_000_000_000

/// All that there is one of.
final class Life {
  let grants = Grants<System>()
  let store: Store<System>
  let bus: Bus<System>
  private var isGood = true

  init() {
    let events = Events<System>()
    System.events = events
    store = Store(events: events)
    bus = Bus(store: store, grants: grants)
  }

  /// Connects to xenstore and looks for devices.
  func start(_ drivers: [Driver<System>]) throws(Failure) {
    try grants.start(frames: 8)
    try store.start()
    try bus.start(drivers)
  }

  /// Serves devices until the condition holds; false: so many seconds have passed before.
  @discardableResult
  func serve(seconds: UInt64, until condition: () -> Bool) -> Bool {
    let deadline = System.time() + seconds * second
    while true {
      bus.poll()
      if condition() { return true }
      let now = System.time()
      if now >= deadline { return false }
      System.wait(until: min(deadline, now + second))
    }
  }

  /// One condition of the result.
  func check(_ what: StaticString, _ isTrue: Bool) {
    isGood = isGood && isTrue
    say(what, isTrue ? ": yes\n" : ": no\n")
  }

  /// The last line.
  func end() { say("result: ", isGood ? "good\n" : "bad\n") }
}

/// Prints a number.
func say(number: UInt64) {
  for digit in Text(number: number).bytes { withUnsafePointer(to: digit) { kernel_print($0, 1) } }
}

/// The words of the command line.
enum Words {
  private static func all() -> [ArraySlice<UInt8>] {
    var bytes: [UInt8] = []
    guard let line = kernel_command_line() else { return [] }
    while line[bytes.count] != 0 { bytes.append(UInt8(bitPattern: line[bytes.count])) }
    return bytes.split(separator: UInt8(ascii: " "))
  }

  /// Whether a word is there.
  static func has(_ word: Text) -> Bool { all().contains { $0.elementsEqual(word.bytes) } }

  /// The number behind a word such as "mib=".
  static func number(_ word: Text, otherwise: UInt64) -> UInt64 {
    guard let found = all().first(where: { $0.starts(with: word.bytes) }) else { return otherwise }
    return Text(found.dropFirst(word.bytes.count)).number ?? otherwise
  }
}
