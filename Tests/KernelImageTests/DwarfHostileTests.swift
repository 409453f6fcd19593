// Debugging information made to harm its reader: whatever the bytes, the answer is a location or an
// ImageError, soon and in little memory.

import Foundation
import Testing

@testable import KernelImage

@Suite(.enabled(if: DwarfToolchain.isAvailable, "needs clang, ld.lld and LLVM's tools"))
struct DwarfHostileTests {
  @Test(.timeLimit(.minutes(2)), arguments: [["-gdwarf-4"], ["-gdwarf-5", "-gdwarf-aranges"]])
  func `no flipped byte traps or hangs`(flags: [String]) throws {
    let tools = try DwarfToolchain()
    try tools.build("program", flags)
    for name in ["program", "program.o"] {
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: tools.path(name))))
      var generator = Generator(state: 1)
      for _ in 0..<400 {
        var bytes = whole
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
          let position = Int.random(in: 0..<bytes.count, using: &generator)
          bytes[position] =
            [0, 0xff, 0x80, bytes[position] ^ 1].randomElement(using: &generator) ?? 0
        }
        bytes.withUnsafeBytes { fuzzDwarf($0) }
      }
    }
  }

  @Test func `every truncation is an error or an answer`() throws {
    let tools = try DwarfToolchain()
    try tools.build("program", ["-gdwarf-5"])
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: tools.path("program"))))
    for count in stride(from: 0, to: whole.count, by: 41) {
      whole[..<count].withUnsafeBytes { fuzzDwarf($0) }
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: 1...3)
  func `bytes behind the last unit end the walk`(count: Int) throws {
    let unit: [UInt8] = [8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 0]
    try (unit + Array(repeating: 0x7f, count: count)).withUnsafeBytes { info in
      let file = DwarfFile(
        path: "x", info: DwarfSection(bytes: info), abbreviations: DwarfSection(bytes: info))
      let units = try DwarfUnit.all(in: file).units
      #expect(units.count == 1)
    }
  }

  @Test func `a function whose origin is itself has no name`() throws {
    let located = try locate(
      abbreviations: """
        .byte 1, 0x11, 1, 0x11, 0x01, 0x12, 0x06, 0, 0
        .byte 2, 0x2e, 0, 0x11, 0x01, 0x12, 0x06, 0x31, 0x13, 0, 0
        .byte 0
        """,
      entries: """
        .byte 1
        .quad 0x1000
        .long 0x100
        2: .byte 2
        .quad 0x1000
        .long 0x100
        .long 2b - 1b + 4
        .byte 0
        """)
    #expect(located.map(\.function) == [""])
  }

  @Test(.timeLimit(.minutes(1)))
  func `entries of many attributes without bytes are given up`() throws {
    // 40,000 attributes of form flag_present in each of a million functions of one byte.
    let error = #expect(throws: ImageError.self) {
      try locate(
        abbreviations: """
          .byte 1, 0x11, 1, 0x11, 0x01, 0x12, 0x06, 0, 0
          .byte 2, 0x2e, 0
          .fill 40000, 2, 0x193c
          .byte 0, 0, 0
          """,
        entries: """
          .byte 1
          .quad 0x1000
          .long 0x100
          .fill 1000000, 1, 2
          """)
    }
    #expect(error?.code == .malformed)
    #expect(error?.found.contains("steps") == true)
  }

  @Test(.timeLimit(.minutes(1)))
  func `sequences that cover the same addresses again are given up`() throws {
    let header: [UInt8] =
      [1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 97, 0, 0, 0, 0, 0]
    // set_address 0, copy, advance_pc 0x200000, end_sequence.
    let sequence: [UInt8] =
      [0, 9, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0x80, 0x80, 0x80, 1, 0, 1, 1]
    let program = Array(repeating: sequence, count: 100_000).flatMap { $0 }
    let rest = [4, 0, UInt8(header.count), 0, 0, 0] + header + program
    let length = (0..<4).map { UInt8(truncatingIfNeeded: rest.count >> ($0 * 8)) }
    let unit: [UInt8] = [
      20, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ]
    let abbreviations: [UInt8] = [1, 0x11, 0, 0x11, 1, 0x12, 0x0f, 0x10, 0x0b, 0, 0, 0]
    try unit.withUnsafeBytes { info in
      try abbreviations.withUnsafeBytes { abbreviations in
        try (length + rest).withUnsafeBytes { lines in
          let file = DwarfFile(
            path: "x", info: DwarfSection(bytes: info),
            abbreviations: DwarfSection(bytes: abbreviations), lines: DwarfSection(bytes: lines))
          let reader = DwarfReader(file, units: try DwarfUnit.all(in: file).units)
          let context = try reader.context(ofUnit: 0)
          let table = try DwarfLineTable(at: 0, of: context.unit, in: reader)
          let wanted = (0..<UInt64(20_000)).map { $0 * 16 }
          #expect(throws: ImageError.self) { try table.rows(for: wanted[...], in: reader) }
        }
      }
    }
  }

  @Test func `a sibling that leads back is not followed`() throws {
    let located = try locate(
      abbreviations: """
        .byte 1, 0x11, 1, 0x11, 0x01, 0x12, 0x06, 0, 0
        .byte 2, 0x13, 1, 0x01, 0x13, 0, 0
        .byte 3, 0x2e, 0, 0x11, 0x01, 0x12, 0x06, 0x03, 0x08, 0, 0
        .byte 0
        """,
      entries: """
        .byte 1
        .quad 0x1000
        .long 0x100
        2: .byte 2
        .long 2b - 1b + 4
        .byte 0
        .byte 3
        .quad 0x1000
        .long 0x100
        .asciz "after"
        .byte 0
        """)
    #expect(located.map(\.function) == ["after"])
  }

  @Test func `a line program of many rows takes no memory for them`() throws {
    let tools = try DwarfToolchain()
    // 30 million rows in a file of some 30 kB.
    let header = "1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 'a', 0, 0, 0, 0, 0"
    try tools.write(
      """
      .section .debug_line,"",@progbits
      .long 3f - 1f
      1: .short 4
      .long 4f - 2f
      2: .byte \(header)
      4: .byte 0, 9, 2
      .quad 0x1000
      .fill 30000000, 1, 0x4b
      .byte 0, 1, 1
      3:
      .section .debug_abbrev,"",@progbits
      .byte 1, 0x11, 0, 0x11, 0x01, 0x12, 0x06, 0x10, 0x17, 0, 0, 0
      .section .debug_info,"",@progbits
      .long 6f - 5f
      5: .short 4
      .long 0
      .byte 8, 1
      .quad 0x1000
      .long 0x7fffffff
      .long 0
      6:
      """, to: "bomb.s")
    try tools.run("clang", ["-c", "bomb.s", "-o", "bomb.o"])
    // Linked, so that the addresses are those that the file says.
    try tools.run("ld.lld", ["-e", "0", "--compress-debug-sections=zlib", "bomb.o", "-o", "bomb"])
    let before = residentPeak()
    // Kept rows would take 24 bytes each, 720 MB.
    let located = try SourceLocator(elfPath: tools.path("bomb"))
      .locateDetailed([0x1000 + 4 * 1000], jobs: 1)
    #expect(located[0].first?.line != nil)
    #expect(residentPeak() - before < 500 << 20)
  }

  /// What one unit with these abbreviations and entries says of address 0x1000.
  private func locate(abbreviations: String, entries: String) throws -> [SourceFrame] {
    let tools = try DwarfToolchain()
    try tools.write(
      """
      .section .debug_abbrev,"",@progbits
      \(abbreviations)
      .section .debug_info,"",@progbits
      .long 9f - 1f
      1: .short 4
      .long 0
      .byte 8
      \(entries)
      9:
      """, to: "hostile.s")
    try tools.run("clang", ["-c", "hostile.s", "-o", "hostile.o"])
    return try SourceLocator(elfPath: tools.path("hostile.o")).locateDetailed([0x1000], jobs: 1)[0]
  }

  /// The largest resident size of this process so far, in bytes.
  private func residentPeak() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  /// The same sequence on every run, so that a failure can be repeated.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ state >> 33) &* 0xff51_afd7_ed55_8ccd
    }
  }
}
