// The name of a finding that outlives a rebuild: rule, function, inline chain, kind of section, and
// the ordinal among equals. Never an address, never a line.

/// Names findings so that the next build of the same kernel names them alike.
public enum Fingerprint {
  /// Gives each finding its fingerprint.
  ///
  /// Call it with all findings of one image: the ordinal counts equals in order of address.
  public static func assign(to findings: inout [Finding]) {
    let keys = findings.map { (section: $0.sectionIndex, address: $0.address) }
    let order = keys.indices.sorted { left, right in
      let (a, b) = (keys[left], keys[right])
      return a == b ? left < right : a < b
    }
    var seen: [UInt64: Int] = [:]
    for index in order {
      var hash = StableHash()
      for part in parts(of: findings[index]) { hash.feed(part) }
      let ordinal = seen[hash.value, default: 0]
      seen[hash.value] = ordinal + 1
      hash.feed(String(ordinal))
      findings[index].fingerprint = hash.hex
    }
  }

  private static func parts(of finding: Finding) -> [String] {
    var parts = [finding.rule, sectionKind(finding.section)]
    if let function = finding.function {
      parts.append("function")
      parts.append(stem(function))
    } else if let function = finding.sites.first(where: { $0.function != nil })?.function {
      parts += ["patched", stem(function), finding.instruction]
    } else {
      parts += ["section", finding.section, finding.instruction]
    }
    for frame in finding.inlined { parts.append(stem(frame.function)) }
    return parts
  }

  /// A function's name without what the compiler added for a clone, which comes and goes with its version.
  private static func stem(_ function: String) -> String {
    guard function.utf8.contains(UInt8(ascii: ".")) else { return function }
    var end = function.endIndex
    for mark in [".constprop.", ".isra.", ".part.", ".lto_priv.", ".llvm.", ".cold"] {
      if let range = function.firstRange(of: mark), range.lowerBound < end {
        end = range.lowerBound
      }
    }
    return end == function.startIndex ? function : String(function[..<end])
  }

  /// `.init.text` and `.text` differ in meaning; `.text.unlikely` and `.text` do not.
  private static func sectionKind(_ section: String) -> String {
    for kind in [".text", ".init", ".exit", ".altinstr_replacement", ".rodata", ".data"]
    where section.hasPrefix(kind) {
      return kind
    }
    return section
  }
}
