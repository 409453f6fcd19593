// All of the hostile guests, by the seed; a failure is found again from its number.

/// Lets guests of every kind try; what went wrong, or `nil`.
public func fuzzControl(seeds: Range<UInt64>, steps: Int) -> String? {
  for seed in seeds {
    if let fault = StoreFuzz(seed: seed).run(steps: steps) {
      return "store, seed \(seed): \(fault)"
    }
    if let fault = BlockFuzz(seed: seed).run(steps: steps) {
      return "block, seed \(seed): \(fault)"
    }
    if let fault = NetFuzz(seed: seed).run(steps: steps) { return "net, seed \(seed): \(fault)" }
  }
  return nil
}
