// What a sound data file becomes.

import ABISchema
import Testing

@Suite struct LoaderTests {
  @Test func load_sample_hasNoDiagnostics() throws {
    let result = Sample.load()
    #expect(result.diagnostics.map(\.rendered) == [])
    let abi = try #require(result.abi)
    #expect(abi.structures.count == 5)
    #expect(abi.hypercalls.count == 2)
    #expect(abi.constantGroups.flatMap(\.constants).count == 10)
  }

  @Test func load_numbersOfEntries_areConstants() throws {
    let abi = try #require(Sample.load().abi)
    #expect(abi.constant("__HYPERVISOR_sample_op")?.values.common == .integer(20))
    #expect(abi.constant("__HYPERVISOR_reserved_op")?.values.x86_32 == .integer(22))
    #expect(abi.constant("SAMPLEOP_two")?.values.common == .integer(1))
    #expect(abi.constant("XEN_ELFNOTE_SAMPLE")?.values.common == .integer(5))
    #expect(abi.constant("StateTwo")?.values.common == .integer(2))
  }

  @Test func layout_sample_followsTheABIOfEachArchitecture() throws {
    let abi = try #require(Sample.load().abi)
    let wide = try #require(abi.layout("outer", .x86_64))
    let narrow = try #require(abi.layout("outer", .x86_32))
    let offsets = { (layout: StructureLayout) in
      Dictionary(layout.named.map { ($0.path, $0.layout.offset) }, uniquingKeysWith: { a, _ in a })
    }
    #expect(
      offsets(wide) == [
        "parts": 0, "frames": 32, "frame": 40, "flags": 48, "kind": 49, "half": 50, "low": 52,
        "u": 56, "u.word": 56, "u.a": 56, "u.b": 58, "many": 60, "hole1": 76,
        "tail": 80,
      ])
    #expect(offsets(narrow)["frames"] == 24)
    #expect(offsets(narrow)["tail"] == 60)
    #expect(abi.layout("aligned", .x86_32)?.alignment == 8)
    #expect(abi.layout("only64", .x86_32) == nil)
  }

  @Test func notation_ofTypes_readsBackTheSame() throws {
    for text in ["u8[2][3]", "handle<void>", "handle<u8[4]>", "inner[ENTRIES]", "u64a", "char[]"] {
      let changed = try #require(Sample.changed("type: \"u32[]\"", "type: \"\(text)\""))
      let field = Sample.load(changed).abi?.structure("outer")?.fields.last
      if case .type(let type)? = field?.content { #expect(type.notation == text) }
    }
  }
}
