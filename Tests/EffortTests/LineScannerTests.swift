// What the scanner takes for code, language by language.

import Testing

@testable import Effort

/// A text with the class of each line: `c` code, `#` comment, `.` blank.
struct Sample: CustomStringConvertible, Sendable {
  var description: String
  var path: String
  var text: String
  var classes: String

  init(_ description: String, _ path: String, _ text: String, _ classes: String) {
    self.description = description
    self.path = path
    self.text = text
    self.classes = classes
  }
}

/// Keeps classes as letters.
private struct Letters: LineSink {
  var text = ""

  mutating func add(_ line: LineClass) {
    switch line {
    case .blank: text += "."
    case .comment: text += "#"
    case .code: text += "c"
    }
  }
}

private func classes(_ text: [UInt8], _ path: String) -> String {
  text.withUnsafeBytes { LineScanner.scan($0, Language(path: path), into: Letters()) }.text
}

@Suite struct LineScannerTests {
  @Test(arguments: samples) func sample_isClassedAsStated(sample: Sample) {
    #expect(classes(Array(sample.text.utf8), sample.path) == sample.classes)
  }

  static let samples: [Sample] = [
    Sample("plain C", "a.c", "int a;\n\n// one\n/* two */\nb; // three\n", "c.##c"),
    Sample("a comment over lines", "a.c", "/* a\n\n b */\nx;\n", "#.#c"),
    Sample("code after a comment", "a.c", "/* a\n b */ x;\n", "#c"),
    Sample(
      "comments in strings", "a.c", "s = \"/* no\";\nt = '\\'';\nu = \"// \\\" /*\";\nv;\n", "cccc"),
    Sample("a joined line comment", "a.c", "// a \\\nb\nc;\n", "##c"),
    Sample("a joined line comment with CRLF", "a.c", "// a \\\r\nb\r\nc;\r\n", "##c"),
    Sample("an apostrophe that is no quote", "a.c", "#error don't\n/* x */\n", "c#"),
    Sample("no end of the last line", "a.c", "a;\n// b", "c#"),
    Sample("a comment without an end", "a.c", "a;\n/* b\nc\n", "c##"),
    Sample("a slash and a star apart", "a.c", "a / *b;\n/*/ still */\n", "c#"),
    Sample("form feeds are blank", "a.c", "\u{0C}\n a;\n", ".c"),
    Sample("raw strings", "a.cpp", "s = R\"x(\n// no\n)\" /*\n)x\";\n// yes\n", "cccc#"),
    Sample("separators of digits", "a.cc", "n = 1'000; // x\n// y\n", "c#"),
    Sample(
      "a sign of GAS", "a.S", "# no\n#define A 1\nnop # x\n #ifdef A\n/* y */\n",
      "#ccc#"),
    Sample("a character of GAS", "a.S", "cmpb $'\", %al\n# x\n", "c#"),
    Sample("comments of other assemblers", "a.s", "@ arm\n; other\nmov r0, #1\n", "##c"),
    Sample("NASM", "a.asm", "mov eax, ';' ; x\n; y\n", "c#"),
    Sample("comments that nest", "a.rs", "/* a /* b */ c\n d */ x\n// e\n", "#c#"),
    Sample(
      "lifetimes and characters", "a.rs", "fn f<'a>(x: &'a str) { '\"'; '\\''; 'é'; } // x\n// y\n",
      "c#"),
    Sample("raw strings of Rust", "a.rs", "let s = r#\"a \" // \n/* \"#;\n// x\n", "cc#"),
    Sample("strings of Rust over lines", "a.rs", "let s = \"a\n// b\n\";\n", "ccc"),
    Sample("documentation of Rust", "a.rs", "/// a\n//! b\nx\n", "##c"),
    Sample(
      "strings of Swift", "a.swift", "let s = \"\"\"\n// a\n\n\"\"\"\nlet t = #\"/* \" \"#\n// b\n",
      "cc.cc#"),
    Sample("comments of Swift nest", "a.swift", "/* /* */ */ x\n#if A\n", "cc"),
    Sample("raw strings of Go", "a.go", "s := `a\n// b\n`\n// c\nr := '\"'\n", "ccc#c"),
    Sample("Go does not nest", "a.go", "/* /* */ x\n", "c"),
    Sample(
      "documentation of Python", "a.py",
      "def f():\n  \"\"\"a\n\n  b\"\"\"\n  x = \"\"\"c\n# d\"\"\"\n# e\n", "c#.#cc#"),
    Sample("strings as arguments", "a.py", "f(\n\"\"\"a\n\"\"\")\n'''doc'''\n", "ccc#"),
    Sample("quotes of Python", "a.py", "s = '#' + \"\\\"#\" # x\n# y\n", "c#"),
    Sample("make", "Makefile", "a: b # x\n# y \\\n z\nc = \\#\n\techo\n", "c##cc"),
    Sample("Kconfig", "Kconfig", "# x\nconfig A\n\tbool \"a # b\"\n\t  don't\n", "#ccc"),
    Sample("the shell", "a.sh", "#!/bin/sh\n# x\necho $# ${a#b} # y\necho '\n# no\n'\n", "c#cccc"),
    Sample(
      "here-documents", "a.sh",
      "cat <<EOF\n# no\n' \"\nEOF\n# yes\ncat <<-'X'\n\t# no\n\tX\n# yes\n", "cccc#ccc#"),
    Sample("a shift is no here-document", "a.sh", "a=$((1 << 2))\n# x\n", "c#"),
    Sample("YAML", "a.yaml", "# x\na: b#c # d\n\n", "#c."),
    Sample("a linker script", "a.lds", "/* a */\nx = 1; // b\n", "#c"),
    Sample("HTML", "a.html", "<p>\n<!-- a\nb -->\n", "c##"),
    Sample("text has no comments", "a.txt", "# a\n\n// b\n", "c.c"),
    Sample("an empty text", "a.c", "", ""),
    Sample("ends of lines alone", "a.c", "\n\r\n\n", "..."),
  ]

  @Test func names_tellLanguages() {
    let expected: [(String, Language)] = [
      ("a/b.c", .c), ("Makefile", .make), ("arch/x/Makefile.head", .make), ("a.lds.S", .assembler),
      ("Kconfig.debug", .kconfig), ("a.rs", .rust), ("README", .plain), (".c", .c), ("", .plain),
      ("CMakeLists.txt", .hash), ("a.d/x", .plain),
    ]
    for (path, language) in expected { #expect(Language(path: path) == language, "\(path)") }
  }

  @Test func firstLine_tellsTheShell() {
    let counts = Array("#!/bin/bash\n# x\n".utf8).withUnsafeBytes {
      TextFacts.counts($0, path: "tools/run")
    }
    #expect(counts == LineCounts(raw: 2, nonblank: 2, code: 1))
  }

  /// Whatever stands in a file: each line comes out once, and the scan ends.
  @Test(arguments: Language.allCases) func randomBytes_giveEachLineOnce(language: Language) {
    let marks = Array("\n\n\"'`/*#\\<>R(){}[]rb!-= aE".utf8)
    var state: UInt64 = 2003
    for round in 0..<400 {
      var text: [UInt8] = []
      for _ in 0..<(round % 97) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let number = Int(state >> 33)
        text.append(
          number % 11 == 0 ? UInt8(truncatingIfNeeded: number >> 8) : marks[number % marks.count])
      }
      let counts = text.withUnsafeBytes {
        LineScanner.scan($0, language, into: LineCounts.zero)
      }
      let ends = text.count { $0 == 0x0A }
      #expect(counts.raw == ends + (text.last == 0x0A || text.isEmpty ? 0 : 1))
      #expect(counts.code <= counts.nonblank && counts.nonblank <= counts.raw)
    }
  }

  @Test func deepNests_andLongLines_end() {
    for (path, piece) in [
      ("a.rs", "/*"), ("a.swift", "#"), ("a.py", "\"\"\"("), ("a.sh", "<<A "), ("a.cpp", "R\"x"),
      ("a.html", "<!--"), ("a.rs", "r##"), ("a.swift", "\"\"\""),
    ] {
      let text = Array(String(repeating: piece, count: 100_000).utf8)
      #expect(classes(text, path).count == 1)
    }
  }
}
