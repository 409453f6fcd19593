// `--disk FILE[,ro][,name=xvda][,domain=N]` and `--net user[,forward=HOST:GUEST]…|none`.

public import ArgumentParser
public import Harness

extension GuestDisk: ExpressibleByArgument {
  /// Takes path and options apart; a comma in the path is part of it.
  public init?(argument: String) {
    var words = argument.split(separator: ",", omittingEmptySubsequences: false)
    var isReadOnly = false
    var name: String?
    var domain: Int?
    while words.count > 1, let word = words.last {
      if word == "ro" {
        isReadOnly = true
      } else if word.hasPrefix("name=") {
        name = String(word.dropFirst("name=".count))
      } else if word.hasPrefix("domain="), let number = Int(word.dropFirst("domain=".count)) {
        domain = number
      } else {
        break
      }
      words.removeLast()
    }
    let path = words.joined(separator: ",")
    guard !path.isEmpty else { return nil }
    self.init(path: path)
    self.isReadOnly = isReadOnly
    self.name = name
    self.domain = domain
  }
}

/// The value of `--net`.
struct NetworkOption: ExpressibleByArgument {
  /// The network; `nil` for none.
  var network: GuestNetwork?

  /// No network.
  static let none = NetworkOption()

  private init() {}

  init?(argument: String) {
    let words = argument.split(separator: ",", omittingEmptySubsequences: false)
    if words == ["none"] { return }
    guard words.first == "user" else { return nil }
    var network = GuestNetwork()
    for word in words.dropFirst() {
      let prefix = "forward="
      guard word.hasPrefix(prefix) else { return nil }
      let ports = word.dropFirst(prefix.count).split(
        separator: ":", omittingEmptySubsequences: false
      ).map { Int($0) }
      guard ports.count == 2, let host = ports[0], let guest = ports[1],
        (1...65535).contains(host), (1...65535).contains(guest)
      else { return nil }
      network.forwards.append(PortForward(host: host, guest: guest))
    }
    self.network = network
  }

  var defaultValueDescription: String { network == nil ? "none" : "user" }
}
