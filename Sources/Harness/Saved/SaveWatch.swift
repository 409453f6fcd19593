// The moment at which a guest is saved: asks it to suspend, and writes the file when it has.

import Foundation

/// A guest that is to be saved, as far as it has come.
struct SaveWatch {
  private let request: SaveRequest
  private let pattern: Regex<AnyRegexOutput>?
  private let folder: URL
  /// Types a command of the control domain's.
  private let type: @Sendable (String) -> Void
  private var due: ContinuousClock.Instant?
  private var isAsked = false
  private var isSaved = false
  private var refusal: String?

  /// A watch over a run whose files are in `folder`.
  init(
    _ request: SaveRequest, folder: URL, type: @escaping @Sendable (String) -> Void
  ) throws(HarnessError) {
    self.request = request
    self.folder = folder
    self.type = type
    do { pattern = try request.pattern.map { try Regex($0) } } catch {
      throw .input(
        path: "--when", expected: "a regular expression", found: request.pattern ?? "")
    }
  }

  /// Nothing more is to come: it is saved and does not go on, or cannot be.
  var isOver: Bool { refusal != nil || (isSaved && !request.continues) }

  /// Why it was not saved; `nil` where it was.
  var fault: String? {
    if let refusal { return refusal }
    if isSaved { return nil }
    if isAsked { return "it did not suspend: does it obey control/shutdown?" }
    return due == nil
      ? "the line that was waited for did not come" : "it ended before it was to suspend"
  }

  /// Lines of the guest's console.
  mutating func take(_ lines: [String]) {
    guard due == nil else { return }
    let isTime =
      pattern.map { pattern in lines.contains { $0.firstMatch(of: pattern) != nil } } ?? true
    if isTime { due = .now + request.delay }
  }

  /// Asks the guest when the time has come.
  mutating func look() {
    guard !isAsked, let due, .now >= due else { return }
    isAsked = true
    type("suspend 1\n")
  }

  /// Takes a line of the hypervisor's; how the guest ended if it was that it is written down and does not go
  /// on.
  mutating func save(_ line: String) -> DomainEnd? {
    // One that was restored has said its first word before.
    if due == nil, pattern == nil, line.contains(" restored: ") { due = .now + request.delay }
    guard !isSaved, refusal == nil, let address = Self.record(in: line) else { return nil }
    do throws(HarnessError) {
      let memory = try MachineMemory(folder: folder)
      do throws(SaveFault) {
        try DomainSaver(record: address, in: memory).save(to: request.path)
      } catch {
        refusal = error.text
      }
    } catch {
      refusal = error.description
    }
    isSaved = refusal == nil
    if isSaved, request.continues {
      type("resume 1\n")
      return nil
    }
    return DomainEnd(verdict: .suspended, reason: "suspend")
  }

  /// The address in `info: saved: domain=1 record=0x1000`.
  private static func record(in line: String) -> UInt64? {
    let words = line.split(separator: " ")
    guard words.contains("saved:"), words.contains("domain=1"),
      let word = words.first(where: { $0.hasPrefix("record=") })
    else { return nil }
    return Hex.value(word.dropFirst("record=".count))
  }
}
