// The files of the repository that are generated: the C and Swift modules, the manual, and the copy
// of abi/ that the command carries inside itself.

public import ABISchema

/// What stands generated in the repository.
public enum RepositoryFiles {
  /// Folders whose files are all generated, relative to the repository; anything else there is stale.
  public static let ownedFolders = [
    "Sources/CXenABI", "Sources/XenABI/Generated", "Tests/XenABITests/Generated", "guides/abi",
  ]

  /// Every generated file with its path in the repository.
  public static func files(abi: ABI, sources: [ABISource]) -> [GeneratedFile] {
    let generator = Generator(abi: abi)
    var files = generator.generate(.swift).map { file in
      let path =
        file.path.hasPrefix("XenABITests/")
        ? "Tests/XenABITests/Generated/" + file.path.dropFirst("XenABITests/".count)
        : "Sources/" + file.path
      return GeneratedFile(path: path, text: file.text)
    }
    files += generator.generate(.markdown).map {
      GeneratedFile(path: "guides/abi/" + $0.path, text: $0.text)
    }
    files.append(embedded(sources, generator))
    return files.sorted { $0.path < $1.path }
  }

  /// The data as Swift text: raw strings, with a delimiter that the text cannot contain.
  private static func embedded(_ sources: [ABISource], _ generator: Generator) -> GeneratedFile {
    var out = TextBuilder(unit: "  ")
    out.line("// \(generator.origin(nil))")
    out.line("// swift-format-ignore-file")
    out.line()
    out.line("/// The data files as they were when this program was built.")
    out.line("enum EmbeddedABI {")
    out.line("  static let sources: [ABISource] = [")
    for source in sources.sorted(by: { $0.file < $1.file }) {
      let fence = String(repeating: "#", count: longestFence(source.text) + 1)
      out.line("    ABISource(file: \"\(source.file)\", text: \(fence)\"\"\"")
      out.raw(source.text)
      out.line("\"\"\"\(fence)),")
    }
    out.line("  ]")
    out.line("}")
    return GeneratedFile(path: "Sources/ABISchema/Generated/EmbeddedABI.swift", text: out.text)
  }

  /// The longest row of `#` in the text; one more cannot end the literal by accident.
  private static func longestFence(_ text: String) -> Int {
    var longest = 0
    var current = 0
    for byte in text.utf8 {
      current = byte == UInt8(ascii: "#") ? current + 1 : 0
      longest = max(longest, current)
    }
    return longest
  }
}
