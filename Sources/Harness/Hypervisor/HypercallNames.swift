// Names of hypercalls for people, out of abi/.

import ABISchema

/// Looks up hypercalls by number.
enum HypercallNames {
  /// By number, with `__HYPERVISOR_` taken off.
  private static let names: [UInt64: String] = {
    var names: [UInt64: String] = [:]
    for subject in ABILoader.embedded().abi?.subjects ?? [] {
      for hypercall in subject.hypercalls {
        guard let value = hypercall.number.x86_64, let number = UInt64(exactly: value) else {
          continue
        }
        names[number] = hypercall.entry.name
      }
    }
    return names
  }()

  /// The hypercall's name, or its number where it has none.
  static func name(of number: UInt64) -> String {
    names[number] ?? String(number)
  }
}
