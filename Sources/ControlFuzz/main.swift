// control-fuzz [seeds] [steps per seed] [first seed]: hostile guests against the control domain's
// store, block and network backends. Exit code 1 and the seed on a failure.

import ControlCoreTesting

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

let numbers = CommandLine.arguments.dropFirst().map { UInt64($0) }
guard !numbers.contains(nil), numbers.count <= 3 else {
  print("usage: control-fuzz [seeds] [steps per seed] [first seed]")
  exit(64)
}
let given = numbers.compactMap { $0 }
let seeds = given.count > 0 ? given[0] : 200
let steps = given.count > 1 ? Int(min(given[1], 1_000_000)) : 1000
let first = given.count > 2 ? given[2] : 0
if let fault = fuzzControl(seeds: first..<first + seeds, steps: steps) {
  print(fault)
  exit(1)
}
print("\(seeds) seeds of \(steps) steps against store, block and net: every invariant held")
