// Ports of this machine that lead to the guest's: free ones, and no two boots get the same.

import Foundation
import Synchronization

/// Hands out ports of the loopback address.
enum FreePorts {
  private static let given = Mutex<Set<Int>>([])

  /// A port that nobody listens at, for TCP and UDP; `nil` where there is none.
  static func take() -> Int? {
    for _ in 0..<200 {
      guard let port = bound(Int32(SOCK_STREAM.rawValue), to: 0),
        bound(Int32(SOCK_DGRAM.rawValue), to: port) != nil,
        given.withLock({ $0.insert(port).inserted })
      else { continue }
      return port
    }
    return nil
  }

  /// Binds a socket and lets go of it again; the port that it had.
  private static func bound(_ kind: Int32, to port: Int) -> Int? {
    let descriptor = socket(AF_INET, kind | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var address = sockaddr_in.loopback(port: port)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    return isBound ? Int(UInt16(bigEndian: address.sin_port)) : nil
  }
}

extension sockaddr_in {
  /// A port of 127.0.0.1.
  static func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }
}
