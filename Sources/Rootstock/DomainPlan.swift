// What the command line says of the domains to start:
//
//     domain=kernel:0,ramdisk:1,memory:128,vcpus:2,weight:256,count:1
//
// Kernels and ramdisks are boot modules by number, memory is in MiB. The first is domain 0. Without
// any, the first module is domain 0's kernel and the second its ramdisk, with `dom0_mem=` MiB.

import HypervisorCore

/// One kind of domain to start.
struct DomainPlan {
  var kernel = 0
  var ramdisk: Int?
  /// MiB; 0 for as much as suits.
  var memory: UInt64 = 0
  var vcpus = 1
  var weight: UInt32 = 256
  var count = 1
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
      case (0x6d, _): plan.memory = value  // memory
      case (0x76, _): plan.vcpus = Int(value)  // vcpus
      case (0x77, _): plan.weight = UInt32(clamping: value)  // weight
      case (0x63, _): plan.count = Int(value)  // count
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
