// The table of fuzz targets. A parser gets a line here and a folder in Seeds.

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
  ]
}
