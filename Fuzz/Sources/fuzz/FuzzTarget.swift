// The table of fuzz targets. A parser gets a line here and a folder in Seeds.

import KernelImage

/// One parser under test.
struct FuzzTarget: Sendable {
  /// The name on the command line and of the folder in Seeds.
  var name: String
  /// Reads one input; whatever the bytes are, it must come back.
  var read: @Sendable (UnsafeRawBufferPointer) -> Void

  static let all: [Self] = [
    Self(name: "elf", read: readElf),
    Self(name: "pe", read: readPortableExecutable),
    Self(name: "bzimage", read: readBzImage),
    Self(name: "image", read: readAnyImage),
    Self(name: "kallsyms", read: readKallsyms),
    Self(name: "systemmap", read: readSystemMap),
    Self(name: "dwarf", read: fuzzDwarf),
    Self(name: "decoder", read: decodeCode),
    Self(name: "audit", read: auditImage),
    Self(name: "rules", read: readRules),
    Self(name: "baseline", read: readBaseline),
    Self(name: "suppressions", read: readSuppressions),
    Self(name: "trace", read: readTrace),
    Self(name: "lines", read: scanLines),
    Self(name: "effortmap", read: readEffortMap),
    Self(name: "diff", read: readDiff),
  ]
}
