// Which language a file is in, by its name; by its first line where the name says nothing.

/// A language whose comments the scanner knows.
public enum Language: String, Sendable, CaseIterable {
  case c = "C"
  case cPlusPlus = "C++"
  case assembler = "Assembler"
  case intelAssembler = "Assembler (Intel)"
  case rust = "Rust"
  case swift = "Swift"
  case go = "Go"
  case script = "JavaScript"
  case java = "Java"
  case python = "Python"
  case make = "make"
  case kconfig = "Kconfig"
  case shell = "Shell"
  /// Other languages with comments from `#` to the end of the line.
  case hash = "Hash comments"
  case linkerScript = "Linker script"
  case markup = "Markup"
  /// No comments are known: every line that is not blank is code.
  case plain = "Text"

  /// The language of the file at `path`.
  public init(path: String) {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    if let language = Self.byName(name) {
      self = language
      return
    }
    // A name such as `vmlinux.lds.S` has several; the last decides.
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    self = parts.count > 1 ? Self.extensions[String(parts[parts.count - 1])] ?? .plain : .plain
  }

  /// The language that a first line such as `#!/bin/sh` names.
  init?(firstLine: UnsafeRawBufferPointer) {
    guard firstLine.count > 2, firstLine[0] == UInt8(ascii: "#"), firstLine[1] == UInt8(ascii: "!")
    else { return nil }
    let line = String(decoding: firstLine.prefix(128).prefix { $0 != 0x0A }, as: UTF8.self)
    if line.contains("python") {
      self = .python
    } else if line.contains("make") {
      self = .make
    } else if line.contains("sh") {
      self = .shell
    } else {
      self = .hash
    }
  }

  private static func byName(_ name: String) -> Self? {
    for prefix in ["Makefile", "GNUmakefile", "makefile", "Kbuild"] where name.hasPrefix(prefix) {
      return .make
    }
    if name.hasPrefix("Kconfig") || name == "Config.in" || name == "config.in" { return .kconfig }
    if name == "CMakeLists.txt" || name.hasPrefix("Dockerfile") { return .hash }
    if name == "configure" { return .shell }
    return nil
  }

  private static let extensions: [String: Language] = [
    "c": .c, "h": .c, "y": .c, "l": .c, "dts": .c, "dtsi": .c, "m": .c, "cl": .c, "cu": .c,
    "cc": .cPlusPlus, "cpp": .cPlusPlus, "cxx": .cPlusPlus, "c++": .cPlusPlus, "C": .cPlusPlus,
    "hh": .cPlusPlus, "hpp": .cPlusPlus, "hxx": .cPlusPlus, "inl": .cPlusPlus, "ipp": .cPlusPlus,
    "S": .assembler, "s": .assembler, "sx": .assembler,
    "asm": .intelAssembler, "nasm": .intelAssembler,
    "rs": .rust, "swift": .swift, "go": .go, "js": .script, "ts": .script, "mjs": .script,
    "java": .java, "kt": .java, "cs": .java,
    "py": .python, "pyi": .python, "mk": .make, "mak": .make, "sh": .shell, "bash": .shell,
    "ksh": .shell, "pl": .hash, "pm": .hash, "awk": .hash, "rb": .hash, "tcl": .hash,
    "yml": .hash, "yaml": .hash, "toml": .hash, "cmake": .hash, "cfg": .hash, "conf": .hash,
    "lds": .linkerScript, "ld": .linkerScript, "html": .markup, "xml": .markup, "svg": .markup,
  ]
}
