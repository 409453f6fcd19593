// Fingerprints, baselines, traces and the verdict.

import Audit
import Testing

@Suite struct GateTests {
  @Test func fingerprints_ofMovedCode_stay() {
    let before = GateFixture.result((0..<4).map { GateFixture.finding(0x1000 + $0 * 16) })
    let after = GateFixture.result((0..<4).map { GateFixture.finding(0x9000 + $0 * 32) })
    #expect(
      before.images[0].findings.map(\.fingerprint) == after.images[0].findings.map(\.fingerprint))
    #expect(Set(before.images[0].findings.map(\.fingerprint)).count == 4)
  }

  @Test func fingerprints_tellRuleFunctionInliningAndSectionApart() {
    var inlined = GateFixture.finding(4)
    inlined.inlined = [Frame(function: "native_write_cr3", file: nil, line: nil)]
    let findings = [
      GateFixture.finding(0), GateFixture.finding(1, rule: "lidt"),
      GateFixture.finding(2, function: "other"),
      GateFixture.finding(3, section: ".init.text"), inlined,
      GateFixture.finding(5, function: nil),
    ]
    let prints = GateFixture.result(findings).images[0].findings.map(\.fingerprint)
    #expect(Set(prints).count == findings.count)
    #expect(prints.allSatisfy { $0.utf8.count == 16 })
  }

  @Test func fingerprints_ofCompilersClones_areThoseOfTheFunction() {
    let plain = GateFixture.result([GateFixture.finding(0)])
    let clone = GateFixture.result([GateFixture.finding(0, function: "load_cr3.constprop.0")])
    #expect(plain.images[0].findings[0].fingerprint == clone.images[0].findings[0].fingerprint)
  }

  @Test func baseline_aFindingMoreAndAFindingLess_areNewAndFixed() {
    let old = [GateFixture.finding(0), GateFixture.finding(8, function: "gone")]
    let baseline = Baseline(of: GateFixture.result(old))
    var result = GateFixture.result(
      [GateFixture.finding(0x50), GateFixture.finding(0x60, rule: "lidt")], path: "other/vmlinux")
    baseline.compare(&result)
    #expect(result.images[0].findings.map(\.baselineState) == [.known, .new])
    let gone = GateFixture.result(old).images[0].findings[1].fingerprint
    #expect(result.images[0].fixed == [gone])
    #expect(!verdict(result, .new))
  }

  @Test func baseline_ofTheSameBuild_passes() {
    var result = GateFixture.result([GateFixture.finding(0), GateFixture.finding(1)])
    Baseline(of: result).compare(&result)
    #expect(verdict(result, .new))
    #expect(result.images[0].fixed.isEmpty)
    #expect(!verdict(result, .any))
  }

  @Test func baseline_countsOutOfAFile_costNoMemory() throws {
    let text = """
      {"schema": "xenograft.audit-baseline/1", "target": "pv64", "images": [{"name": "vmlinux",
       "findings": [{"fingerprint": "f", "rule": "r", "count": 9000000000000000000}]}]}
      """
    var result = GateFixture.result([])
    try Baseline(path: "b", bytes: Array(text.utf8)).compare(&result)
    #expect(result.images[0].fixed == ["f"])
  }

  @Test(arguments: [
    ("", 1, 1, "a value"),
    ("{\"schema\": \"other\"}", 1, 12, "\"schema\": \"xenograft.audit-baseline/1\""),
    (
      "{\"schema\": \"xenograft.audit-baseline/1\",\n \"target\": \"pv65\"}", 2, 12,
      "one of pv64, pv32, pvh"
    ),
    (
      "{\"schema\": \"xenograft.audit-baseline/1\",\n \"target\": \"pv64\" \"images\"", 2, 19,
      "',' or '}'"
    ),
    ("{\"a\u{1}\": 1}", 1, 4, "a string without control characters"),
    ("[1,2", 1, 5, "',' or ']'"),
  ])
  func baseline_badFiles_areLocated(text: String, line: Int, column: Int, expected: String) {
    #expect {
      try Baseline(path: "base.json", bytes: Array(text.utf8))
    } throws: { error in
      guard let error = error as? GateFileError else { return false }
      return error.line == line && error.column == column && error.expected == expected
    }
  }

  @Test func json_nestedWithoutEnd_isRefused() {
    let bytes = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
    #expect(throws: GateFileError.self) { try Trace(path: "t", bytes: bytes) }
  }

  @Test func json_truncatedAnywhere_neverTraps() throws {
    let text =
      #"{"schema": "xenograft.trace/1", "traps": [{"rip": "0x10", "rule": "\ud83d\ude00", "count": 1}]}"#
    let bytes = Array(text.utf8)
    #expect(try Trace(path: "t", bytes: bytes).traps.first?.rule == "\u{1F600}")
    for length in bytes.indices {
      #expect(throws: GateFileError.self) { try Trace(path: "t", bytes: Array(bytes[..<length])) }
    }
  }

  @Test func trace_mergesCountsAndReturnsWhatIsUnknown() throws {
    let text = """
      {"schema": "xenograft.trace/1", "traps": [
        {"rip": "0xffffffff81000000", "rule": "mov-to-cr3", "count": 3},
        {"rip": "0xffffffff81000000", "count": 9223372036854775807},
        {"rip": "0x77", "rule": null, "count": 1}, {"rip": "0x500", "count": 5}]}
      """
    let trace = try Trace(path: "t", bytes: Array(text.utf8))
    var patched = GateFixture.finding(0x20)
    patched.sites = [
      PatchSite(address: 0x500, function: nil, file: nil, line: nil, feature: "X86_FEATURE_SMAP")
    ]
    var result = GateFixture.result(
      [
        GateFixture.finding(0x10, disposition: .emulated), patched,
        GateFixture.finding(0xffff_ffff_8100_0000),
      ])
    let unknown = trace.merge(into: &result)
    #expect(result.images[0].findings.map(\.executed) == [0, 5, .max])
    #expect(unknown == [Trace.Trap(address: 0x77, rule: nil, count: 1)])
  }

  @Test func trace_tellsWhatRan_andWhatItCannotKnow() throws {
    let text = """
      {"schema": "xenograft.trace/1",
       "traps": [{"rip": "0x10", "rule": "hlt", "count": 3}],
       "watched": [
        {"rip": "0x20", "ran": true}, {"rip": "0x30", "ran": false}, {"rip": "0x60", "ran": true},
        {"rip": "0x10", "ran": true}]}
      """
    let trace = try Trace(path: "t", bytes: Array(text.utf8))
    var native = GateFixture.finding(0x50, disposition: .silent)
    native.liveness = .nativeOnly
    var result = GateFixture.result([
      GateFixture.finding(0x10), GateFixture.finding(0x18, disposition: .emulated),
      GateFixture.finding(0x20, disposition: .silent),
      GateFixture.finding(0x30, disposition: .silent),
      // Nobody watched it, and it does not trap.
      GateFixture.finding(0x40, disposition: .silent), native, GateFixture.finding(0x60),
      GateFixture.finding(0x70),
    ])
    trace.merge(into: &result)
    let findings = result.images[0].findings
    #expect(
      findings.map(\.profile) == [.emulated, .never, .silent, .never, nil, nil, .faulted, nil])
    #expect(findings.map(\.executed) == [3, 0, 1, 0, nil, nil, 1, nil])
    #expect(findings.filter { !$0.wantsWatch }.map(\.address) == [0x50])
  }

  @Test func trace_ofARunThatWasCutOff_neverSaysThatNothingWasEmulated() throws {
    let text = """
      {"schema": "xenograft.trace/1", "complete": false, "traps": [],
       "watched": [{"rip": "0x10", "ran": true}, {"rip": "0x20", "ran": false}]}
      """
    let trace = try Trace(path: "t", bytes: Array(text.utf8))
    var result = GateFixture.result(
      [0x10, 0x20, 0x30].map { GateFixture.finding($0, disposition: .emulated) })
    trace.merge(into: &result)
    #expect(result.images[0].findings.map(\.profile) == [.emulated, .never, nil])
    #expect(result.images[0].findings.map(\.executed) == [nil, 0, nil])
  }

  @Test(arguments: [
    #"{"rip": "0x1"}"#, #"{"rip": "0x1", "ran": 1}"#, #"{"ran": true}"#, "3",
  ])
  func trace_withABadWatch_isRefused(item: String) {
    let text = #"{"schema": "xenograft.trace/1", "traps": [], "watched": [\#(item)]}"#
    #expect(throws: GateFileError.self) { try Trace(path: "t", bytes: Array(text.utf8)) }
  }

  @Test(arguments: [
    (GateLevel.never, false), (.new, false), (.silent, false), (.replace, true), (.any, true),
  ])
  func verdict_byLevel_ofAReplaceFinding(level: GateLevel, fails: Bool) {
    #expect(verdict(GateFixture.result([GateFixture.finding(0)]), level) != fails)
  }

  @Test func verdict_onlyReachableCodeFails() {
    var native = GateFixture.finding(0, disposition: .silent)
    native.liveness = .nativeOnly
    let unreachable = GateFixture.finding(1, disposition: .unreachable)
    let result = GateFixture.result([native, unreachable])
    #expect(verdict(result, .silent) && verdict(result, .replace) && !verdict(result, .any))
    #expect(!verdict(GateFixture.result([GateFixture.finding(2, disposition: .silent)]), .silent))
  }
}
