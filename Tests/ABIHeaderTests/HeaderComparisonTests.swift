// Every size, offset and number of abi/ is that of Xen's own headers, on both architectures.

import ABISchema
import Foundation
import Testing

@Suite(
  .enabled(if: XenHeaders.areInstalled, .init(rawValue: XenHeaders.skipReason)),
  .enabled(if: HeaderCompiler.found != nil, .init(rawValue: HeaderCompiler.skipReason)))
struct HeaderComparisonTests {
  /// What the acceptance of this data demands at the least.
  private static let leastStructures = 150
  private static let leastConstants = 900

  static func repositoryABI() throws -> ABI {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let result = ABILoader.load(folder: root.appendingPathComponent("abi").path, display: "abi")
    for diagnostic in result.diagnostics { print(diagnostic.rendered) }
    return try #require(result.abi)
  }

  @Test(arguments: Architecture.allCases)
  func abi_againstXensHeaders_isEqual(_ architecture: Architecture) throws {
    let compiler = try #require(HeaderCompiler.found)
    let probe = HeaderProbe(try Self.repositoryABI(), architecture)
    let outcome = try compiler.check(probe.source, architecture)
    for error in outcome.errors { print("\(architecture.rawValue): \(error)") }
    #expect(outcome.errors.isEmpty)
    #expect(outcome.succeeded, "\(outcome.output.prefix(2_000))")
    #expect(probe.structures >= Self.leastStructures)
    #expect(probe.constants >= Self.leastConstants)
    print(
      "\(architecture.rawValue): \(probe.structures) structures, \(probe.fields) fields and "
        + "\(probe.constants) constants compared with libxen-dev, \(outcome.errors.count) differ")
  }

  /// The comparison sees a wrong size, a wrong offset, a wrong number and a wrong text.
  @Test(
    arguments: [
      "_Static_assert(sizeof(struct gnttab_copy) == 41, \"wrong\");",
      "_Static_assert(offsetof(struct start_info, flags) == 4, \"wrong\");",
      "_Static_assert((unsigned long long)(VIRQ_DEBUG) == 0x2ULL, \"wrong\");",
      "_Static_assert(__builtin_strcmp(XENKBD_DRIVER_NAME, \"vkb\") == 0, \"wrong\");",
      "_Static_assert(sizeof(struct no_such_structure) == 8, \"wrong\");",
    ], Architecture.allCases)
  func comparison_wrongAssert_isReported(_ wrong: String, _ architecture: Architecture) throws {
    let compiler = try #require(HeaderCompiler.found)
    let outcome = try compiler.check(XenHeaders.prelude + wrong + "\n", architecture)
    #expect(!outcome.succeeded)
    #expect(outcome.errors.count >= 1)
  }
}
