// Asks a guest over the network, by a port of this machine that leads to it, until it answers.

import Foundation

/// One question, asked while the guest runs.
struct NetworkProbe: Sendable {
  /// Of an answer no more is read.
  private static let longestAnswer = 1 << 20
  /// How long one attempt may take, in seconds.
  private static let attempt = 3.0

  let check: NetworkCheck
  /// This machine's port.
  let port: Int
  /// Whether the guest has said what it is to be asked after.
  let isReady: @Sendable () -> Bool
  /// Whether the boot is over.
  let isOver: @Sendable () -> Bool

  /// Asks until the answer is the one expected, the time is over or the guest has ended.
  func run() -> CheckOutcome {
    while !isReady() {
      if isOver() {
        let line = check.after.map { "`\($0.text)`" } ?? "a line"
        return .failed("expected \(line) on the console before it is asked, found none")
      }
      usleep(50_000)
    }
    let start = ContinuousClock.now
    let deadline = start + .milliseconds(Int64(check.within * 1000))
    var last = "no answer"
    var attempts = 0
    repeat {
      attempts += 1
      let answer = ask(until: min(deadline, .now + .milliseconds(Int64(Self.attempt * 1000))))
      let verdict = judge(answer)
      if let good = verdict.good {
        let milliseconds = Int(((ContinuousClock.now - start) / .milliseconds(1)).rounded())
        return .passed(
          "\(good) after \(milliseconds) ms" + (attempts > 1 ? ", at attempt \(attempts)" : ""))
      }
      last = verdict.bad ?? last
      if !isOver() { usleep(200_000) }
    } while ContinuousClock.now < deadline && !isOver()
    let end = isOver() ? "until the guest ended" : "in \(check.within) s"
    return .failed(
      "expected \(expectation) from port \(check.port) (\(check.transport.rawValue)) \(end), found \(last)"
    )
  }

  private var expectation: String {
    let text = check.expect.map { "`\($0.text)`" }
    guard check.transport == .http else { return text ?? "an answer" }
    return "status \(check.status)" + (text.map { " and \($0)" } ?? "") + " for \(check.path)"
  }

  private func judge(_ answer: [UInt8]?) -> (good: String?, bad: String?) {
    guard let answer, !answer.isEmpty else { return (nil, nil) }
    let text = String(decoding: answer, as: UTF8.self)
    let shown = "`\(text.prefix { !$0.isNewline }.prefix(80))`"
    guard check.transport == .http else {
      guard let expect = check.expect, !LineMatcher(expect).matches(text) else {
        return (shown, nil)
      }
      return (nil, shown)
    }
    let words = text.prefix { !$0.isNewline }.split(separator: " ")
    guard words.count >= 2, words[0].hasPrefix("HTTP/"), let status = Int(words[1]) else {
      return (nil, shown)
    }
    guard status == check.status else { return (nil, "status \(status)") }
    guard let expect = check.expect else { return ("status \(status)", nil) }
    let body = text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? ""
    let isThere = LineMatcher(expect).matches(body)
    return isThere
      ? ("status \(status) and `\(expect.text)`", nil)
      : (nil, "status \(status) and \(body.utf8.count) bytes without it")
  }

  private var question: [UInt8] {
    guard check.transport == .http else { return Array((check.send ?? "").utf8) }
    return Array(
      ("GET \(check.path) HTTP/1.1\r\nHost: guest\r\nUser-Agent: xenograft\r\n"
        + "Accept: */*\r\nConnection: close\r\n\r\n").utf8)
  }

  /// One attempt; `nil` where nobody answers.
  private func ask(until deadline: ContinuousClock.Instant) -> [UInt8]? {
    let isStream = check.transport != .udp
    let kind = isStream ? SOCK_STREAM : SOCK_DGRAM
    let descriptor = socket(AF_INET, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    var address = sockaddr_in.loopback(port: port)
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 || errno == EINPROGRESS else { return nil }
    var rest = question[...]
    var answer: [UInt8] = []
    while ContinuousClock.now < deadline, !isOver() {
      var wanted = pollfd(
        fd: descriptor, events: Int16(rest.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0)
      guard poll(&wanted, 1, 100) >= 0 || errno == EINTR else { break }
      if !rest.isEmpty, wanted.revents & Int16(POLLOUT) != 0 {
        let sent = rest.withUnsafeBytes {
          send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if sent < 0, errno != EAGAIN, errno != EINTR { break }
        if sent > 0 { rest = rest.dropFirst(sent) }
      }
      guard wanted.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: 64 << 10)
      let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
      if count < 0, errno == EAGAIN || errno == EINTR { continue }
      guard count > 0 else { break }
      answer += buffer[..<count]
      if !isStream || answer.count >= Self.longestAnswer || isEnough(answer) { break }
    }
    return answer
  }

  /// A stream need not end for its answer to be the one expected.
  private func isEnough(_ answer: [UInt8]) -> Bool {
    guard check.transport == .tcp else { return false }
    guard let expect = check.expect else { return true }
    return LineMatcher(expect).matches(String(decoding: answer, as: UTF8.self))
  }
}
