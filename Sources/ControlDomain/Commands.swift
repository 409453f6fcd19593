// Commands typed on the machine's console, a line each: `suspend 1` asks a domain to suspend, `resume 1`
// lets it go on.

internal import CXenABI
import ControlCore
import GuestRuntime

/// Reads commands and obeys them.
final class Commands {
  private let services: Services
  private var line = Bytes()
  /// The longest command; what is longer is none.
  private static let longest = 64

  init(_ services: Services) { self.services = services }

  func start() {
    guard let port = Events.bind(interrupt: UInt32(VIRQ_CONSOLE)) else { return }
    Events.handle(port) { [self] in read() }
    // What came before that raises no event.
    read()
  }

  private func read() {
    while true {
      let bytes = Console.read(256)
      if bytes.isEmpty { return }
      for byte in bytes {
        if byte == 0x0a {
          obey(line)
          line = Bytes()
        } else if line.count <= Self.longest {
          line.append(byte)
        }
      }
    }
  }

  private func obey(_ command: Bytes) {
    let words = command.split(separator: 0x20).map { Bytes($0) }
    if words.count == 2, let domain = DomainID(words[1]), domain != .control {
      if words[0].equals("suspend") {
        let control = StorePath.home(of: domain).child("control")
        services.local.write(control.child("shutdown"), Bytes("suspend"))
        return services.wake()
      }
      if words[0].equals("resume"), Domains.resume(domain.rawValue, asNew: false) {
        return Domains.begin(domain.rawValue)
      }
    }
    say("cannot be understood: command ").bytes(command).end()
  }
}
