// Nothing of Xen's public headers is missing from abi/ without a reason.

import ABISchema
import Foundation
import Testing

@Suite(
  .enabled(if: XenHeaders.areInstalled, .init(rawValue: XenHeaders.skipReason)),
  .enabled(if: HeaderCompiler.found != nil, .init(rawValue: HeaderCompiler.skipReason)))
struct HeaderCoverageTests {
  private static func inventory() throws -> HeaderInventory {
    let compiler = try #require(HeaderCompiler.found)
    var inventory = HeaderInventory()
    for architecture in Architecture.allCases {
      inventory.read(try compiler.preprocess(XenHeaders.prelude, architecture))
    }
    return inventory
  }

  /// Every name that abi/ gives to C.
  private static func names(_ abi: ABI) -> (constants: Set<String>, structures: Set<String>) {
    let groups = abi.subjects.flatMap { $0.constants + $0.impliedConstants }
    let constants = groups.flatMap(\.constants).map(\.cName)
    let tags = abi.structures.compactMap { $0.cName.split(separator: " ").last.map(String.init) }
    let rings = abi.subjects.flatMap(\.rings).flatMap {
      ["\($0.cName)_sring", "\($0.cName)_sring_entry"]
    }
    return (Set(constants), Set(tags + rings))
  }

  @Test func installedHeaders_eachCompiledOrListed() throws {
    let listed = try NotCovered.read().headers
    let seen = Set(XenHeaders.compiled).union(try Self.inventory().headers)
    let installed = XenHeaders.all()
    for header in installed where !seen.contains(header) {
      #expect(listed.contains { $0.header == header }, "xen/\(header) is not compiled or listed")
    }
    for line in listed {
      #expect(!line.reason.isEmpty)
      #expect(!seen.contains(line.header), "xen/\(line.header) is listed, and compiled too")
    }
    print(
      "\(installed.count) headers: \(seen.intersection(installed).count) compiled, "
        + "\(listed.count) left out with a reason")
  }

  @Test func definedNames_eachInABIOrListed() throws {
    let inventory = try Self.inventory()
    let known = Self.names(try HeaderComparisonTests.repositoryABI())
    let rules = try NotCovered.read().names
    var uses = Array(repeating: 0, count: rules.count)
    let missing =
      inventory.constants.filter { !known.constants.contains($0.key) }.map { ($0.key, $0.value) }
      + inventory.structures.filter { !known.structures.contains($0.key) }
      .map { ($0.key, $0.value) }
    for (name, header) in missing.sorted(by: { ($0.1, $0.0) < ($1.1, $1.0) }) {
      let rule = rules.firstIndex { $0.covers(name, in: header) }
      #expect(rule != nil, "\(name) of xen/\(header) is not in abi/ and not listed")
      if let rule { uses[rule] += 1 }
    }
    for (rule, count) in zip(rules, uses) {
      #expect(!rule.reason.isEmpty)
      #expect(count > 0, "the rule \(rule.match) for \(rule.header) matches nothing")
    }
    print(
      "\(inventory.constants.count) constants and \(inventory.structures.count) structures "
        + "defined by the compiled headers, \(missing.count) left out with a reason")
  }
}
