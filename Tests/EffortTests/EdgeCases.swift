// Hunks, white space, contents: what a single file can show.

@testable import Effort

extension EdgeCase {
  static let contents: [EdgeCase] = [
    EdgeCase(
      "nothing changes", base: ["kernel/a.c": "a;\n"], port: ["kernel/a.c": "a;\n"], files: [:]),
    EdgeCase(
      "a hunk with more new lines", base: ["kernel/a.c": "a;\nb;\nc;\n"],
      port: ["kernel/a.c": "a;\nx;\ny;\nz;\nc;\n"], files: ["kernel/a.c": "2 1 0"]),
    EdgeCase(
      "a hunk with more old lines", base: ["kernel/a.c": "a;\nb;\nc;\nd;\ne;\n"],
      port: ["kernel/a.c": "a;\nx;\ne;\n"], files: ["kernel/a.c": "0 1 2"]),
    EdgeCase(
      "lines added alone", base: ["kernel/a.c": "a;\nb;\n"],
      port: ["kernel/a.c": "a;\nx;\ny;\nb;\n"], files: ["kernel/a.c": "2 0 0"]),
    EdgeCase(
      "lines removed alone are no effort", base: ["kernel/a.c": "a;\nb;\nc;\n"],
      port: ["kernel/a.c": "a;\nc;\n"], files: ["kernel/a.c": "0 0 1"]),
    EdgeCase(
      "two hunks are not added before min", base: ["kernel/a.c": "a;\nb;\nc;\nd;\n"],
      port: ["kernel/a.c": "x;\ny;\nb;\nc;\n"], files: ["kernel/a.c": "1 1 1"]),
    EdgeCase(
      "a new file", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "kernel/b.c": "x;\ny;\n"], files: ["kernel/b.c": "2 0 0"]
    ) { $0.status = ["kernel/b.c": .added] },
    EdgeCase(
      "a file that is gone", base: ["kernel/a.c": "a;\n", "kernel/b.c": "x;\ny;\n"],
      port: ["kernel/a.c": "a;\n"], files: ["kernel/b.c": "0 0 2"]
    ) { $0.status = ["kernel/b.c": .removed] },
    EdgeCase(
      "an empty file is new", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "kernel/b.c": ""], files: ["kernel/b.c": "0 0 0"]),
    EdgeCase(
      "a file becomes empty", base: ["kernel/a.c": "a;\nb;\n"], port: ["kernel/a.c": ""],
      files: ["kernel/a.c": "0 0 2"]),
    EdgeCase(
      "a file is indented anew", base: ["kernel/a.c": "if (a)\n  b;\nc;\n"],
      port: ["kernel/a.c": "if (a)\n\tb;\nc;\n"], files: ["kernel/a.c": "0 0 0"]
    ) { $0.strict = ["kernel/a.c": "0 1 0"] },
    EdgeCase(
      "ends of lines become CRLF", base: ["kernel/a.c": "a;\nb;\n"],
      port: ["kernel/a.c": "a;\r\nb;\r\n"], files: ["kernel/a.c": "0 0 0"]
    ) { $0.strict = ["kernel/a.c": "0 2 0"] },
    EdgeCase(
      "CRLF and a change", base: ["kernel/a.c": "a;\nb;\n"],
      port: ["kernel/a.c": "a;\r\nx;\r\ny;\r\n"], files: ["kernel/a.c": "1 1 0"]
    ) { $0.strict = ["kernel/a.c": "1 2 0"] },
    EdgeCase(
      "the last line loses its end", base: ["kernel/a.c": "a;\nb;\n"],
      port: ["kernel/a.c": "a;\nb;"], files: ["kernel/a.c": "0 0 0"]
    ) { $0.strict = ["kernel/a.c": "0 1 0"] },
    EdgeCase(
      "a new file without an end of its last line", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "kernel/b.c": "x;\ny;"], files: ["kernel/b.c": "2 0 0"]),
    EdgeCase(
      "neither side has an end of its last line", base: ["kernel/a.c": "a;\nb;"],
      port: ["kernel/a.c": "a;\nc;"], files: ["kernel/a.c": "0 1 0"]),
    EdgeCase(
      "contents that look like a diff", base: ["kernel/a.c": "a;\n-- b\n@@ -1 +1 @@\nc;\n"],
      port: [
        "kernel/a.c":
          "a;\n++ b/kernel/z.c\n@@ -9,9 +9,9 @@\ndiff --git a/000000007 b/000000007\nc;\n"
      ], files: ["kernel/a.c": "1 2 0"]),
    EdgeCase(
      "contents that begin with a backslash",
      base: ["kernel/a.c": "\\ No newline at end of file\n"],
      port: ["kernel/a.c": "\\ no\n\\ No newline at end of file\nx"],
      files: ["kernel/a.c": "2 0 0"]),
    EdgeCase(
      "Latin-1", base: ["kernel/a.c": .bytes([0x2F, 0x2F, 0xE9, 0x0A, 0x61, 0x0A])],
      port: ["kernel/a.c": .bytes([0x2F, 0x2F, 0xE9, 0x0A, 0x62, 0xFC, 0x0A])],
      files: ["kernel/a.c": "0 1 0"]),
    EdgeCase(
      "a mark of UTF-8 at the beginning", base: ["kernel/a.c": "a;\nb;\n"],
      port: ["kernel/a.c": "\u{FEFF}a;\nb;\n"], files: ["kernel/a.c": "0 1 0"]),
    EdgeCase(
      "a NUL makes a file binary", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": .bytes([0x61, 0x00, 0x0A])], files: [:]
    ) { $0.listed.binary = ["kernel/a.c"] },
    EdgeCase(
      "a new binary file", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "kernel/logo.bin": .bytes([1, 0, 2, 10, 3])], files: [:]
    ) { $0.listed.binary = ["kernel/logo.bin"] },
    EdgeCase(
      "a binary file becomes text", base: ["kernel/a.c": .bytes([0, 1, 2])],
      port: ["kernel/a.c": "a;\n"], files: [:]
    ) { $0.listed.binary = ["kernel/a.c"] },
    EdgeCase(
      "a NUL far below is a byte like others",
      base: ["kernel/a.c": .bytes(Array(numbered(600).utf8) + [0x61, 0, 0x0A])],
      port: ["kernel/a.c": .bytes(Array(numbered(600).utf8) + [0x62, 0, 0x0A])],
      files: ["kernel/a.c": "0 1 0"]),
    EdgeCase(
      "blank lines and comments are raw lines", base: ["kernel/a.c": "a;\nb;\n"],
      port: ["kernel/a.c": "a;\n\n/* why\n   so */\nx; // here\nb;\n"],
      files: ["kernel/a.c": "4 0 0"]
    ) {
      $0.nonblank = ["kernel/a.c": "3 0 0"]
      $0.code = ["kernel/a.c": "1 0 0"]
    },
    EdgeCase(
      "min is taken under each count", base: ["kernel/a.c": "a;\n// old\n// words\nb;\n"],
      port: ["kernel/a.c": "a;\nx;\n\nb;\n"], files: ["kernel/a.c": "0 2 0"]
    ) {
      $0.nonblank = ["kernel/a.c": "0 1 1"]
      $0.code = ["kernel/a.c": "1 0 0"]
    },
    EdgeCase(
      "a comment over lines decides lines after the hunk's first",
      base: ["kernel/a.c": "/*\none\ntwo\n*/\na;\n"],
      port: ["kernel/a.c": "/*\none\nthree\nfour\n*/\na;\n"], files: ["kernel/a.c": "1 1 0"]
    ) { $0.code = ["kernel/a.c": "0 0 0"] },
    EdgeCase(
      "signs of comments in assembler", base: ["arch/i386/kernel/a.S": "nop\n"],
      port: [
        "arch/i386/kernel/a.S": "# a comment\n#include <x.h>\nnop # nothing\n  # define X 1\n"
      ],
      files: ["arch/i386/kernel/a.S": "3 1 0"]
    ) { $0.code = ["arch/i386/kernel/a.S": "2 1 0"] },
    EdgeCase(
      "a mode changes", base: ["kernel/a.c": "a;\n"], port: ["kernel/a.c": "a;\n"], files: [:]),
  ]
}
