// What the command line says of the domains to start:
//
//     domain=kernel:0,ramdisk:1,arguments:2,memory:128,vcpus:2,weight:256,count:1
//
// Kernels, ramdisks and files with command lines are boot modules by number, memory is in MiB. What
// stands behind ` -- ` is the command line of domains that have no file with one. With `paused:1` a domain waits
// for domain 0 to let it begin; with `exempt:1` the
// strict policy leaves a domain alone. The first is domain 0. Without
// any, the first module is domain 0's kernel and the second its ramdisk, with `dom0_mem=` MiB.

import HypervisorCore

/// One kind of domain to start.
struct DomainPlan {
  var kernel = 0
  var ramdisk: Int?
  /// The module with its command line.
  var arguments: Int?
  /// MiB; 0 for as much as suits.
  var memory: UInt64 = 0
  var vcpus = 1
  var weight: UInt32 = 256
  var count = 1
  /// Domain 0 lets it begin, once it can serve it.
  var isPaused = false
  /// The strict policy is not for it: domain 0 has ports to use where others are on trial.
  var isExempt = false
}

extension CommandLine {
  /// The plan in the `number`th option `domain=`; `nil` behind the last.
  func plan(_ number: Int) -> DomainPlan? {
    guard let start = option("domain=", number) else { return nil }
    var plan = DomainPlan()
    var index = start
    while isInWord(index) {
      let key = index
      while isInWord(index) && self[index] != 0x3a && self[index] != 0x2c { index += 1 }
      guard self[index] == 0x3a else { break }
      let (value, end) = decimal(at: index + 1)
      switch (self[key], self[key + 1]) {
      case (0x6b, _): plan.kernel = Int(value)  // kernel
      case (0x72, _): plan.ramdisk = Int(value)  // ramdisk
      case (0x61, _): plan.arguments = Int(value)  // arguments
      case (0x6d, _): plan.memory = value  // memory
      case (0x76, _): plan.vcpus = Int(value)  // vcpus
      case (0x77, _): plan.weight = UInt32(clamping: value)  // weight
      case (0x63, _): plan.count = Int(value)  // count
      case (0x70, _): plan.isPaused = value != 0  // paused
      case (0x65, _): plan.isExempt = value != 0  // exempt
      default: break
      }
      index = end
      if self[index] == 0x2c { index += 1 }
    }
    return plan
  }

  /// Whether a word stands in the hypervisor's own part.
  func hasWord(_ word: StaticString) -> Bool {
    guard let end = option(word, 0) else { return false }
    return !isInWord(end)
  }

  /// Where the value of the `number`th option of a name begins, before ` -- `.
  private func option(_ name: StaticString, _ number: Int) -> Int? {
    var index = 0
    var found = 0
    while index < count {
      if self[index] == 0x2d && self[index + 1] == 0x2d && !isInWord(index + 2) { return nil }
      var matched = 0
      while matched < name.utf8CodeUnitCount && self[index + matched] == name.utf8Start[matched] {
        matched += 1
      }
      if matched == name.utf8CodeUnitCount {
        if found == number { return index + matched }
        found += 1
      }
      while isInWord(index) { index += 1 }
      while index < count && self[index] == 0x20 { index += 1 }
    }
    return nil
  }

  private func isInWord(_ index: Int) -> Bool { index < count && self[index] != 0x20 }

  /// A decimal number, at most nine digits of it, and where it ends.
  private func decimal(at start: Int) -> (value: UInt64, end: Int) {
    var index = start
    var value: UInt64 = 0
    while case 0x30...0x39 = self[index] {
      if index - start < 9 { value = value * 10 + UInt64(self[index] - 0x30) }
      index += 1
    }
    return (value, index)
  }
}
