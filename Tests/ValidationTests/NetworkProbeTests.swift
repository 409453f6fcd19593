// Questions over the network against servers of this process: those that answer, and those that do not.

import Foundation
import Synchronization
import Testing

@testable import Validation

@Suite struct NetworkProbeTests {
  /// Answers what comes to a port of the loopback address, until it goes away.
  private final class Server: Sendable {
    let port: Int
    private let descriptor: Int32

    /// `answer` gets what was read; nil closes without a word.
    init(isStream: Bool = true, _ answer: @escaping @Sendable (String) -> String?) throws {
      let kind = isStream ? SOCK_STREAM : SOCK_DGRAM
      let descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
      self.descriptor = descriptor
      var address = sockaddr_in.loopback(port: 0)
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
      }
      try #require(isBound && (!isStream || listen(descriptor, 5) == 0))
      port = Int(UInt16(bigEndian: address.sin_port))
      Thread.detachNewThread {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
          var peer = sockaddr_in()
          var size = socklen_t(MemoryLayout<sockaddr_in>.size)
          if isStream {
            let client = accept(descriptor, nil, nil)
            guard client >= 0 else { return }
            let count = recv(client, &buffer, buffer.count, 0)
            if let text = answer(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)) {
              _ = send(client, Array(text.utf8), text.utf8.count, Int32(MSG_NOSIGNAL))
            }
            close(client)
          } else {
            let count = withUnsafeMutablePointer(to: &peer) { pointer in
              pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &buffer, buffer.count, 0, $0, &size)
              }
            }
            guard count >= 0 else { return }
            guard let text = answer(String(decoding: buffer.prefix(count), as: UTF8.self)) else {
              continue
            }
            _ = withUnsafePointer(to: &peer) { pointer in
              pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, Array(text.utf8), text.utf8.count, 0, $0, size)
              }
            }
          }
        }
      }
    }

    deinit {
      shutdown(descriptor, Int32(SHUT_RDWR))
      close(descriptor)
    }
  }

  private func ask(
    _ server: Server, isOver: @escaping @Sendable () -> Bool = { false },
    _ change: (inout NetworkCheck) -> Void
  ) -> CheckOutcome {
    var check = NetworkCheck()
    check.port = 7
    check.within = 2
    change(&check)
    return NetworkProbe(check: check, port: server.port, isReady: { true }, isOver: isOver).run()
  }

  @Test func tcp_answerIsMatched() throws {
    let server = try Server { "echo " + $0 }
    let good = ask(server) {
      $0.send = "hello"
      $0.expect = LinePattern("^echo hello$")
    }
    #expect(good.status == .passed, "\(good.message)")
    let bad = ask(server) {
      $0.send = "hello"
      $0.expect = LinePattern("bye")
      $0.within = 0.5
    }
    #expect(bad.status == .failed && bad.message.contains("`echo hello`"), "\(bad.message)")
  }

  @Test func udp_isAskedAgainWhereNothingComes() throws {
    let count = Mutex(0)
    let server = try Server(isStream: false) { text in
      count.withLock {
        $0 += 1
        return $0 < 2 ? nil : text
      }
    }
    let outcome = ask(server) {
      $0.transport = .udp
      $0.send = "ping"
      $0.expect = LinePattern("ping")
      $0.within = 10
    }
    #expect(outcome.status == .passed && outcome.message.contains("at attempt 2"))
  }

  @Test func http_statusAndBodyAreJudged() throws {
    let server = try Server { request in
      request.hasPrefix("GET /x HTTP/1.1\r\n")
        ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" : "HTTP/1.1 404 Not Found\r\n\r\n"
    }
    let good = ask(server) {
      $0.transport = .http
      $0.path = "/x"
      $0.expect = LinePattern("^hello$")
    }
    #expect(good.status == .passed, "\(good.message)")
    let missing = ask(server) {
      $0.transport = .http
      $0.path = "/y"
      $0.within = 0.3
    }
    #expect(missing.status == .failed && missing.message.contains("found status 404"))
    let head = ask(server) {
      $0.transport = .http
      $0.path = "/x"
      $0.expect = LinePattern("Content-Length")
      $0.within = 0.3
    }
    #expect(head.status == .failed, "a body is no head")
  }

  @Test func nobodyThere_orTheGuestsEnd_isAFailureInTime() throws {
    let server = try Server { _ in nil }
    let silent = ask(server) { $0.within = 0.5 }
    #expect(silent.status == .failed && silent.message.contains("found no answer"))
    let isOver: @Sendable () -> Bool = { true }
    let ended = ask(server, isOver: isOver) { $0.within = 60 }
    #expect(ended.status == .failed && ended.message.contains("until the guest ended"))
    var check = NetworkCheck()
    check.after = LinePattern("ready")
    let never = NetworkProbe(check: check, port: 1, isReady: { false }, isOver: { true }).run()
    #expect(never.status == .failed && never.message.contains("`ready`"))
  }
}
