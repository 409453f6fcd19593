// `--beside KERNEL[,memory=MiB][,vcpus=N][,weight=N][,count=N][,initrd=FILE][,restart=N][,net]`: another
// guest.

public import ArgumentParser
public import Harness

extension GuestBeside: ExpressibleByArgument {
  private static let names: [Substring] = [
    "memory", "vcpus", "weight", "count", "initrd", "restart",
  ]
  private static let words: [Substring] = ["net"]

  /// Takes the kernel and its options apart; a comma in the kernel's path is part of it.
  public init?(argument: String) {
    var words = argument.split(separator: ",", omittingEmptySubsequences: false)
    var options: [(name: Substring, value: Substring)] = []
    while words.count > 1, let word = words.last {
      let sign = word.firstIndex(of: "=") ?? word.endIndex
      let names = sign == word.endIndex ? Self.words : Self.names
      guard names.contains(word[..<sign]) else { break }
      options.append((word[..<sign], word[sign...].dropFirst()))
      words.removeLast()
    }
    let kernel = words.joined(separator: ",")
    guard !kernel.isEmpty else { return nil }
    self.init(kernel: kernel)
    for (name, value) in options {
      switch name {
      case "initrd":
        initrd = String(value)
        continue
      case "net":
        isOnNetwork = true
        continue
      default: break
      }
      guard let number = Int(value) else { return nil }
      switch name {
      case "memory": memory = number
      case "vcpus": vcpus = number
      case "weight": weight = number
      case "restart": restarts = number
      default: count = number
      }
    }
  }
}

extension GuestBeside {
  /// What is wrong with the numbers; `nil` where nothing is.
  var fault: String? {
    let limits: [(name: String, value: Int?, range: ClosedRange<Int>)] = [
      ("memory", memory, GuestOptions.memories), ("vcpus", vcpus, GuestOptions.processorCounts),
      ("weight", weight, GuestOptions.weights), ("count", count, GuestOptions.domainCounts),
      ("restart", restarts, 0...1000),
    ]
    for limit in limits {
      guard let value = limit.value, !limit.range.contains(value) else { continue }
      return "--beside \(kernel): expected \(limit.name) from \(limit.range.lowerBound) to "
        + "\(limit.range.upperBound), found \(value)."
    }
    return nil
  }
}
