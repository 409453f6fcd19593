// Maps, renames, links, sections: what trees can show.

@testable import Effort

private let clone = "paths:\n  arch/xen: arch/i386\n"

extension EdgeCase {
  static let trees: [EdgeCase] = [
    EdgeCase(
      "a cloned folder by the map",
      base: ["arch/i386/a.c": .text(numbered(9)), "kernel/k.c": "k;\n"],
      port: [
        "arch/i386/a.c": .text(numbered(9)), "arch/xen/a.c": .text(numbered(9) + "new;\n"),
        "kernel/k.c": "k;\n",
      ], files: ["arch/xen/a.c": "1 0 0"]
    ) {
      $0.map = clone
      $0.status = ["arch/xen/a.c": .cloned]
    },
    EdgeCase(
      "a clone that is equal is no effort", base: ["arch/i386/a.c": .text(numbered(9))],
      port: ["arch/i386/a.c": .text(numbered(9)), "arch/xen/a.c": .text(numbered(9))], files: [:]
    ) { $0.map = clone },
    EdgeCase(
      "a new file in a cloned folder", base: ["arch/i386/a.c": .text(numbered(9))],
      port: ["arch/i386/a.c": .text(numbered(9)), "arch/xen/b.c": "x;\n"],
      files: ["arch/xen/b.c": "1 0 0"]
    ) { $0.map = clone },
    EdgeCase(
      "a folder that moved is not removed", base: ["arch/i386/a.c": .text(numbered(9))],
      port: ["arch/xen/a.c": .text(numbered(9) + "x;\n")], files: ["arch/xen/a.c": "1 0 0"]
    ) { $0.map = clone },
    EdgeCase(
      "one file by the map", base: ["kernel/a.c": .text(numbered(5))],
      port: ["kernel/a.c": .text(numbered(5)), "kernel/b.c": .text(numbered(5) + "x;\n")],
      files: ["kernel/b.c": "1 0 0"]
    ) { $0.map = "paths:\n  kernel/b.c: kernel/a.c\n" },
    EdgeCase(
      "the longest path of the map holds",
      base: ["arch/i386/sub/a.c": .text(numbered(5, "far")), "lib/a.c": .text(numbered(5))],
      port: [
        "arch/i386/sub/a.c": .text(numbered(5, "far")), "lib/a.c": .text(numbered(5)),
        "arch/xen/sub/a.c": .text(numbered(5) + "x;\n"),
      ], files: ["arch/xen/sub/a.c": "1 0 0"]
    ) { $0.map = clone + "  arch/xen/sub: lib\n" },
    EdgeCase(
      "a path of the map is whole segments", base: ["arch/i386/a.c": .text(numbered(5))],
      port: ["arch/i386/a.c": .text(numbered(5)), "arch/xen2/a.c": .text(numbered(5))],
      files: ["arch/xen2/a.c": "5 0 0"]
    ) { $0.map = clone },
    EdgeCase(
      "a cloned folder is guessed",
      base: ["arch/i386/a.c": .text(numbered(20)), "arch/i386/b.c": .text(numbered(20, "b"))],
      port: [
        "arch/i386/a.c": .text(numbered(20)), "arch/i386/b.c": .text(numbered(20, "b")),
        "arch/xen/a.c": .text(numbered(20) + "x;\n"), "arch/xen/b.c": .text(numbered(20, "b")),
      ], files: ["arch/xen/a.c": "1 0 0"]
    ) { $0.status = ["arch/xen/a.c": .cloned] },
    EdgeCase(
      "of two folders with the same names the like one is guessed",
      base: [
        "arch/alpha/a.c": .text(numbered(20, "alpha")),
        "arch/alpha/b.c": .text(numbered(20, "beta")),
        "arch/i386/a.c": .text(numbered(20)), "arch/i386/b.c": .text(numbered(20, "b")),
      ],
      port: [
        "arch/alpha/a.c": .text(numbered(20, "alpha")),
        "arch/alpha/b.c": .text(numbered(20, "beta")),
        "arch/i386/a.c": .text(numbered(20)), "arch/i386/b.c": .text(numbered(20, "b")),
        "arch/xen/i386/a.c": .text(numbered(20)),
        "arch/xen/i386/b.c": .text(numbered(19, "b") + "x;\n"),
      ], files: ["arch/xen/i386/b.c": "0 1 0"]
    ) { $0.baseLines = 40 },
    EdgeCase(
      "a folder that is like none is new",
      base: ["arch/i386/a.c": .text(numbered(9)), "arch/i386/b.c": .text(numbered(9, "b"))],
      port: [
        "arch/i386/a.c": .text(numbered(9)), "arch/i386/b.c": .text(numbered(9, "b")),
        "arch/xen/a.c": .text(numbered(9, "other")), "arch/xen/b.c": .text(numbered(9, "yet")),
      ], files: ["arch/xen/a.c": "9 0 0", "arch/xen/b.c": "9 0 0"]),
    EdgeCase(
      "a file beside its original is guessed", base: ["arch/i386/setup.c": .text(numbered(9))],
      port: [
        "arch/i386/setup.c": .text(numbered(9)),
        "arch/i386/setup-xen.c": .text(numbered(9) + "x;\n"),
      ], files: ["arch/i386/setup-xen.c": "1 0 0"]),
    EdgeCase(
      "a rename without a change", base: ["kernel/a.c": .text(numbered(9))],
      port: ["kernel/b.c": .text(numbered(9))], files: ["kernel/b.c": "0 0 0"]
    ) { $0.status = ["kernel/b.c": .renamed] },
    EdgeCase(
      "a rename with a change", base: ["kernel/a.c": .text(numbered(9))],
      port: ["mm/b.c": .text(numbered(9) + "x;\n")], files: ["mm/b.c": "1 0 0"]
    ) { $0.status = ["mm/b.c": .renamed] },
    EdgeCase(
      "too little in common is no rename", base: ["kernel/a.c": .text(numbered(9))],
      port: ["kernel/b.c": .text(numbered(2) + numbered(7, "other"))],
      files: ["kernel/a.c": "0 0 9", "kernel/b.c": "9 0 0"]),
    EdgeCase(
      "a copy is new", base: ["kernel/a.c": .text(numbered(9))],
      port: ["kernel/a.c": .text(numbered(9)), "kernel/b.c": .text(numbered(9))],
      files: ["kernel/b.c": "9 0 0"]),
    EdgeCase(
      "a symbolic link is listed", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "kernel/l.c": .link("a.c")], files: [:]
    ) { $0.listed.symlink = ["kernel/l.c"] },
    EdgeCase(
      "a link that leads nowhere or to itself is listed", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "kernel/l.c": .link("l.c"), "kernel/m.c": .link("/nowhere")],
      files: [:]
    ) { $0.listed.symlink = ["kernel/l.c", "kernel/m.c"] },
    EdgeCase(
      "a file becomes a link", base: ["kernel/a.c": "a;\n", "kernel/b.c": "b;\nc;\n"],
      port: ["kernel/a.c": "a;\n", "kernel/b.c": .link("a.c")], files: ["kernel/b.c": "0 0 2"]
    ) { $0.listed.symlink = ["kernel/b.c"] },
    EdgeCase(
      "a submodule is listed", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "lib/sub": .repository], files: [:]
    ) { $0.listed.submodule = ["lib/sub"] },
    EdgeCase(
      "a pipe is listed and not waited for", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "kernel/p.c": .pipe], files: [:]
    ) {
      $0.listed.other = ["kernel/p.c"]
      $0.kinds = [.folders, .revisionAndFolder]
    },
    EdgeCase(
      "vendored headers are excluded and listed", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "include/xen/interface/xen.h": .text(numbered(7))],
      files: ["include/xen/interface/xen.h": "7 0 0"]
    ) {
      $0.sections = ["include/xen/interface/xen.h": "excluded"]
      $0.listed.excluded = ["include/xen/interface/xen.h"]
    },
    EdgeCase(
      "a generated file is excluded by its first lines", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "kernel/t.c": "/* Generated by mk; do not edit. */\nx;\n"],
      files: ["kernel/t.c": "2 0 0"]
    ) {
      $0.sections = ["kernel/t.c": "excluded"]
      $0.listed.excluded = ["kernel/t.c"]
    },
    EdgeCase(
      "backup files are excluded", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "a;\n", "kernel/a.c.orig": "a;\n", "kernel/b.c~": "b;\n"],
      files: ["kernel/a.c.orig": "1 0 0", "kernel/b.c~": "1 0 0"]
    ) { $0.listed.excluded = ["kernel/a.c.orig", "kernel/b.c~"] },
    EdgeCase(
      "what decides the block row has rows of its own", base: ["kernel/a.c": "a;\n"],
      port: [
        "kernel/a.c": "a;\n", "drivers/xen/blkfront/blkfront.c": "x;\n",
        "drivers/xen/blkfront/Makefile": "obj-y := blkfront.o\n",
        "drivers/xen/blkback/blkback.c": "y;\n", "drivers/xen/console/console.c": "z;\n",
        "drivers/xen/netfront/netfront.c": "n;\n", "drivers/xen/Kconfig": "config XEN\n",
        "Documentation/xen.txt": "words\n", "arch/xen/tests/t.c": "t;\n",
        "arch/xen/traps.c": "t;\n",
      ],
      files: [
        "drivers/xen/blkfront/blkfront.c": "1 0 0", "drivers/xen/blkfront/Makefile": "1 0 0",
        "drivers/xen/blkback/blkback.c": "1 0 0", "drivers/xen/console/console.c": "1 0 0",
        "drivers/xen/netfront/netfront.c": "1 0 0", "drivers/xen/Kconfig": "1 0 0",
        "Documentation/xen.txt": "1 0 0", "arch/xen/tests/t.c": "1 0 0",
        "arch/xen/traps.c": "1 0 0",
      ]
    ) {
      $0.sections = [
        "drivers/xen/blkfront/blkfront.c": "Virtual block-device driver",
        "drivers/xen/blkfront/Makefile": "build", "drivers/xen/blkback/blkback.c": "backends",
        "drivers/xen/console/console.c": "console", "drivers/xen/Kconfig": "build",
        "drivers/xen/netfront/netfront.c": "Virtual network driver",
        "Documentation/xen.txt": "docs", "arch/xen/tests/t.c": "tests",
        "arch/xen/traps.c": "Xen-specific (non-driver)",
      ]
    },
    EdgeCase(
      "the first section that matches holds", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "b;\n"], files: ["kernel/a.c": "0 1 0"]
    ) {
      $0.map =
        "sections:\n- {name: one, match: ['kernel/**'], count: true}\n- {name: two, match: ['**']}\n"
      $0.sections = ["kernel/a.c": "one"]
    },
    EdgeCase(
      "what a catch-all takes is listed", base: ["kernel/a.c": "a;\n"],
      port: ["kernel/a.c": "b;\n"], files: ["kernel/a.c": "0 1 0"]
    ) {
      $0.map = "sections:\n- {name: rest, match: ['**']}\n"
      $0.listed.catchAll = ["kernel/a.c"]
    },
    EdgeCase(
      "what no rule takes is listed", base: ["kernel/a.c": "a;\n"], port: ["kernel/a.c": "b;\n"],
      files: ["kernel/a.c": "0 1 0"]
    ) {
      $0.map = "sections:\n- {name: other, match: ['mm/**']}\n"
      $0.sections = ["kernel/a.c": "unplaced"]
      $0.listed.catchAll = ["kernel/a.c"]
    },
    EdgeCase(
      "the denominator is the base's",
      base: [
        "kernel/a.c": .text(numbered(7)), "drivers/d.c": .text(numbered(50)), "mm/b.bin": "x\n",
      ],
      port: [
        "kernel/a.c": .text(numbered(9)), "drivers/d.c": .text(numbered(50)), "mm/b.bin": "x\n",
      ],
      files: ["kernel/a.c": "2 0 0"]
    ) { $0.baseLines = 7 },
    EdgeCase(
      "the denominator by the map", base: ["kernel/a.c": .text(numbered(7)), "mm/m.c": "m;\n"],
      port: ["kernel/a.c": .text(numbered(9)), "mm/m.c": "m;\n"], files: ["kernel/a.c": "2 0 0"]
    ) {
      $0.map = "denominator:\n  include: ['**']\n  exclude: ['kernel/**']\n"
      $0.baseLines = 1
    },
    EdgeCase(
      "an empty base", base: [:], port: ["kernel/a.c": .text(numbered(3))],
      files: ["kernel/a.c": "3 0 0"]
    ) { $0.baseLines = 0 },
    EdgeCase(
      "names with spaces, quotes, ends of lines and other alphabets",
      base: [
        "kernel/a b.c": "a;\n", "kernel/\"q\".c": "a;\n", "kernel/n\nl.c": "a;\n",
        "kernel/ñ.c": "a;\n",
      ],
      port: [
        "kernel/a b.c": "b;\n", "kernel/\"q\".c": "b;\n", "kernel/n\nl.c": "b;\n",
        "kernel/ñ.c": "b;\n",
      ],
      files: [
        "kernel/a b.c": "0 1 0", "kernel/\"q\".c": "0 1 0", "kernel/n\nl.c": "0 1 0",
        "kernel/ñ.c": "0 1 0",
      ]),
    EdgeCase(
      "attributes of the repository change nothing",
      base: [".gitattributes": "*.c binary\n", "kernel/a.c": "a;\n"],
      port: [".gitattributes": "*.c binary\n", "kernel/a.c": "b;\n"],
      files: ["kernel/a.c": "0 1 0"]),
  ]
}
