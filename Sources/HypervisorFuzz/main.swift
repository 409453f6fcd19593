// hypervisor-fuzz [sequences] [calls per sequence] [first seed]: hostile guests against the
// hypervisor's core, every invariant checked after each call. Exit code 1 and the calls on a failure.

import HypervisorCoreTesting

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

let numbers = CommandLine.arguments.dropFirst().map { UInt64($0) }
guard !numbers.contains(nil), numbers.count <= 3 else {
  print("usage: hypervisor-fuzz [sequences] [calls per sequence] [first seed]")
  exit(64)
}
let given = numbers.compactMap { $0 }
let sequences = given.count > 0 ? given[0] : 200_000
let calls = given.count > 1 ? Int(min(given[1], 1_000_000)) : 8
let first = given.count > 2 ? given[2] : 0
if let failure = fuzz(seeds: first..<first + sequences, calls: calls) {
  print(failure)
  exit(1)
}
print("\(sequences) sequences of \(calls) calls: every invariant held")
