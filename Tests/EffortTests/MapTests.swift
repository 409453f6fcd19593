// Patterns, maps, and what is said about bad ones.

import Testing

@testable import Effort

@Suite struct MapTests {
  @Test(arguments: [
    ("*.c", "a.c", true), ("*.c", "kernel/a.c", true), ("*.c", "kernel/a.h", false),
    ("kernel/*.c", "kernel/a.c", true), ("kernel/*.c", "kernel/x/a.c", false),
    ("kernel/**", "kernel/x/a.c", true), ("kernel/**", "kernel2/a.c", false),
    ("kernel/", "kernel/x/a.c", true), ("**/xen/**", "xen/a.c", true),
    ("**/xen/**", "drivers/xen/a.c", true), ("**/xen/**", "drivers/xenon/a.c", false),
    ("**/*xen*", "drivers/xen-a.c", true), ("**/*xen*", "xen/a.c", false),
    ("arch/**/kernel/*.c", "arch/kernel/a.c", true),
    ("arch/**/kernel/*.c", "arch/x/y/kernel/a.c", true), ("a?c", "abc", true),
    ("kernel/a?c", "kernel/a/c", false), ("[ab].c", "a.c", true), ("[!ab].c", "a.c", false),
    ("[a-c]x", "bx", true), ("[", "[", true), ("\\*", "*", true), ("\\*", "a", false),
    ("/kernel/*", "kernel/a", true), ("**", "anything/at/all", true), ("*", "deep/file", true),
    ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b", true), ("a/**/b", "ab", false),
    ("**/a/**/b", "x/a/y/a/z/b", true), ("*a*b*c", "xxaxxbxxc", true), ("*a*b*c", "acb", false),
  ]) func glob_matchesAsStated(pattern: String, path: String, matches: Bool) throws {
    #expect(try #require(Glob(pattern)).matches(path) == matches, "\(pattern) \(path)")
  }

  @Test func hostileGlob_ends() throws {
    let pattern = String(repeating: "**/a*", count: 80)
    #expect(try #require(Glob(pattern)).matches(String(repeating: "a/", count: 400) + "b") == false)
    #expect(Glob("") == nil && Glob(String(repeating: "a", count: 513)) == nil)
  }

  @Test func catchAlls_areKnown() throws {
    for text in ["**", "*", "**/*"] { #expect(try #require(Glob(text)).isCatchAll, "\(text)") }
    for text in ["**/*.c", "a/**", "?"] { #expect(try !#require(Glob(text)).isCatchAll, "\(text)") }
  }

  @Test func map_readsAll() throws {
    let map = try EffortMap(
      yaml: """
        paths:
          arch/xen: arch/i386/
        sections:
          - name: Virtual network driver
            match: drivers/net/**
          - {name: mine, match: ["a/**", "b/**"], count: true, why: because}
        denominator:
          include: ["kernel/**"]
        """, file: "m.yaml")
    #expect(map.paths == [.init(port: "arch/xen", base: "arch/i386")])
    #expect(map.sections.map(\.isCounted) == [true, true])
    #expect(map.place("b/x").why == "because")
    #expect(map.include.map(\.text) == ["kernel/**"])
    #expect(map.exclude.isEmpty && !map.isBuiltIn)
    #expect(map.basePath(of: "arch/xen/a") == "arch/i386/a")
    #expect(map.basePath(of: "arch/xenon/a") == nil)
  }

  @Test(arguments: [
    ("", 1, 1, "`paths`"), ("- a\n", 1, 1, "mapping"), ("paths: [a\n", 2, 1, "YAML"),
    ("sections:\n  - {name: a, matches: b}\n", 2, 15, "match"),
    ("sections:\n  - match: b\n", 2, 5, "`name`"), ("sections:\n  - name: b\n", 2, 5, "`match`"),
    ("section: []\n", 1, 1, "sections"), ("sections: []\n", 1, 11, "list"),
    ("sections:\n- {name: a, match: b, count: maybe}\n", 2, 30, "true or false"),
    ("sections:\n- {name: a, match: ''}\n", 2, 20, "pattern"),
    ("sections:\n- {name: a, match: [[b]]}\n", 2, 21, "pattern"),
    ("sections:\n- {name: unplaced, match: b}\n", 2, 10, "name"),
    ("sections:\n- {name: a, match: b, count: true}\n- {name: a, match: c}\n", 3, 3, "count"),
    ("paths: {a: ../b}\n", 1, 12, "`..`"), ("paths: {/a: b}\n", 1, 9, "root"),
    ("paths: [a]\n", 1, 8, "mapping"), ("paths: {a: {b: c}}\n", 1, 12, "path"),
    ("paths: &x {a: b}\n", 1, 8, "plain YAML"), ("sections:\n- name: *.c\n", 2, 10, "YAML"),
    ("paths: {a: b}\npaths: {c: d}\n", 1, 1, "once"),
    ("denominator: {includes: a}\n", 1, 15, "include"),
  ]) func badMap_isRefused_withItsPlace(yaml: String, line: Int, column: Int, said: String) {
    do {
      _ = try EffortMap(yaml: yaml, file: "m.yaml")
      Issue.record("taken: \(yaml)")
    } catch {
      guard case .map("m.yaml", let foundLine, let foundColumn, let expected, _) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(foundLine == line && foundColumn == column, "\(yaml): \(foundLine):\(foundColumn)")
      #expect(expected.contains(said), "\(yaml): \(expected)")
    }
  }

  @Test func deepNests_areRefused() {
    for text in [
      String(repeating: "[", count: 50_000), String(repeating: "a: {", count: 20_000),
      String(repeating: "- ", count: 100_000), "paths: {a: " + String(repeating: "[", count: 5_000),
      String(repeating: "x", count: 2 << 20),
    ] {
      #expect(throws: EffortError.self) { try EffortMap(yaml: text, file: "m") }
    }
  }

  @Test func builtInPatterns_areAllRead() {
    #expect(EffortMap.builtIn.sections.allSatisfy { !$0.match.isEmpty })
    #expect(EffortMap.builtIn.place("no/idea").isCatchAll)
  }
}
