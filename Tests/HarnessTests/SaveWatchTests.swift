import Foundation
import Synchronization
import Testing

@testable import Harness

@Suite struct SaveWatchTests {
  /// What was typed.
  private final class Typed: Sendable {
    let text = Mutex("")
    var now: String { text.withLock(\.self) }
  }

  private func watch(_ change: (inout SaveRequest) -> Void = { _ in }) throws -> (SaveWatch, Typed)
  {
    var request = SaveRequest(path: "/nowhere/file")
    change(&request)
    let typed = Typed()
    let watch = try SaveWatch(
      request, folder: FileManager.default.temporaryDirectory.appending(path: "no such folder")
    ) { line in typed.text.withLock { $0 += line } }
    return (watch, typed)
  }

  @Test func suspension_isAskedForOnce_afterTheFirstLine() throws {
    var (watch, typed) = try watch()
    watch.look()
    #expect(typed.now == "")
    watch.take(["one"])
    watch.look()
    watch.look()
    #expect(typed.now == "suspend 1\n")
    #expect(watch.fault?.contains("did not suspend") == true)
  }

  @Test func suspension_waitsForTheLine_andForTheTime() throws {
    var (watch, typed) = try watch {
      $0.pattern = "^ready"
      $0.delay = .seconds(1000)
    }
    watch.take(["not ready"])
    #expect(watch.fault?.contains("did not come") == true)
    watch.take(["ready"])
    watch.look()
    #expect(typed.now == "")
    #expect(watch.fault?.contains("ended before") == true)
  }

  @Test func restoredGuest_hasItsTimeFromTheStart() throws {
    var (watch, typed) = try watch()
    #expect(watch.save("info: restored: domain=1 memory=256MiB") == nil)
    watch.look()
    #expect(typed.now == "suspend 1\n")
  }

  @Test func machineWithoutMemory_isARefusal() throws {
    var (watch, _) = try watch()
    for line in ["info: saved: domain=2 record=0x1000", "info: saved: domain=1", "saved"] {
      #expect(watch.save(line) == nil)
    }
    #expect(!watch.isOver)
    #expect(watch.save("info: saved: domain=1 record=0x1000") != nil)
    #expect(watch.isOver)
    #expect(watch.fault?.contains("memory cannot be read") == true)
  }

  @Test func badPattern_isTold() {
    #expect(throws: HarnessError.self) { try watch { $0.pattern = "(" } }
  }
}
