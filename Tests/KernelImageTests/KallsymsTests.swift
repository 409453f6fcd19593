// kallsyms: found and decoded in every order and form, and given up quietly when it is damaged.

import Foundation
import Testing

@testable import KernelImage

@Suite struct KallsymsTests {
  struct Form: Sendable, CustomTestStringConvertible {
    var is64: Bool
    var addressesLast: Bool
    var hasSequences: Bool
    var addresses: KallsymsBuilder.Addresses

    var testDescription: String {
      "\(is64 ? 64 : 32)-bit, \(addresses) addresses \(addressesLast ? "last" : "first")"
        + (hasSequences ? ", sequences" : "")
    }

    var builder: KallsymsBuilder {
      var builder = KallsymsBuilder(count: 3000)
      if !is64 { builder.moveTo32Bit() }
      builder.addressesLast = addressesLast
      builder.hasSequences = hasSequences
      builder.addresses = addresses
      return builder
    }
  }

  static let forms = [true, false].flatMap { is64 in
    [true, false].flatMap { last in
      [true, false].flatMap { sequences in
        KallsymsBuilder.Addresses.allCases.map {
          Form(is64: is64, addressesLast: last, hasSequences: sequences, addresses: $0)
        }
      }
    }
  }

  @Test(arguments: forms)
  func everyForm_givesTheFunctions(form: Form) throws {
    let builder = form.builder
    let image = try readImage(builder.kernel())
    #expect(image.symbols.map(\.name) == builder.functions)
    #expect(image.symbols.first?.address == builder.base)
    #expect(image.symbols.last?.address == builder.base + 2999 * 16)
    #expect(image.symbols.allSatisfy { $0.kind == .function && $0.section == 0 })
    #expect(image.symbols.map(\.isGlobal).prefix(3) == [true, false, true])
    #expect(image.remarks.contains { $0.contains("kallsyms") })
  }

  @Test func ownSymbols_goFirst() throws {
    let image = try readImage(SampleImages.executable().build())
    #expect(!image.remarks.contains { $0.contains("kallsyms") })
  }

  @Test func switchedOff_isNotLookedFor() throws {
    let image = try readImage(
      KallsymsBuilder(count: 3000).kernel(), options: OpenOptions(readsKallsyms: false))
    #expect(image.symbols.isEmpty)
  }

  @Test(.timeLimit(.minutes(1)))
  func damagedTables_giveNamesOrNoneButNeverAnError() throws {
    let builder = KallsymsBuilder(count: 600)
    let tables = builder.build()
    var dice = Dice(11)
    var unnamed = 0
    let rounds = 120
    for _ in 0..<rounds {
      let damaged = damage(tables, within: 4000..<tables.count - 4000, dice: &dice)
      let image = try readImage(builder.kernel(tables: damaged))
      guard image.symbols.isEmpty else { continue }
      unnamed += 1
      #expect(image.remarks.contains { $0.contains("no names") })
    }
    #expect(unnamed > 10 && unnamed < rounds)
  }

  @Test(.timeLimit(.minutes(1)))
  func dataThatLooksLikeMarkersEverywhere_costsNoMoreThanTheBudget() throws {
    let builder = KallsymsBuilder(count: 600)
    var tables = ByteWriter()
    for _ in 0..<300_000 {
      tables.put(UInt32(0))
      tables.put(UInt32(1000))
    }
    let whole = builder.build()
    // Behind them tokens that are sound, so that the search goes all the way.
    tables.put(whole.suffix(from: whole.count - 4000 - 1100 - 8))
    let image = try readImage(builder.kernel(tables: tables.bytes))
    #expect(image.symbols.isEmpty)
  }

  /// A kernel with `.symtab` (its function names are the truth), by environment.
  static let kernelPath = ProcessInfo.processInfo.environment["XENOGRAFT_TEST_KERNEL"]
  static let debugPath = ProcessInfo.processInfo.environment["XENOGRAFT_TEST_KERNEL_DEBUG"]

  @Test(.enabled(if: kernelPath != nil, "XENOGRAFT_TEST_KERNEL names no kernel"))
  func realKernel_hasNamesForItsCode() throws {
    let path = try #require(Self.kernelPath)
    let image = try KernelImage.open(path: path)
    #expect(image.buildID != nil)
    let text = try #require(image.sections.first { $0.name == ".text" })
    let index = SymbolIndex(image)
    let starts = index.functionStarts(section: text.index)
    #expect(starts.count > 5000)
    #expect(starts.first == text.address)
  }

  @Test(
    .enabled(
      if: kernelPath != nil && debugPath != nil,
      "XENOGRAFT_TEST_KERNEL and XENOGRAFT_TEST_KERNEL_DEBUG name no kernel and debug file"))
  func realKernel_namesEqualTheSymbolTableOfItsDebugFile() throws {
    let kernel = try KernelImage.open(path: #require(Self.kernelPath))
    let debug = try KernelImage.open(path: #require(Self.debugPath))
    #expect(kernel.buildID == debug.buildID)
    try #require(kernel.remarks.contains { $0.contains("kallsyms") })
    let known = Set(debug.symbols.map { "\($0.address) \($0.name)" })
    let unknown = kernel.symbols.filter { !known.contains("\($0.address) \($0.name)") }
    #expect(unknown.map(\.name) == [])
    let named = Set(kernel.symbols.map { "\($0.address) \($0.name)" })
    let missing = debug.symbols.filter { symbol in
      guard symbol.kind == .function, let section = symbol.section else { return false }
      return debug.sections[section].isExecutable
        && !named.contains("\(symbol.address) \(symbol.name)")
    }
    #expect(missing.map(\.name) == [])
  }
}
