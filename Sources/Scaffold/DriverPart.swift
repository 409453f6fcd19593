// Which files of Sources/Frontends a driver consists of. A header xg_X.h stands for the sources xg_X.c
// and xg_X_*.c, and they for what they include: the closure is the driver, and nothing else is copied.
// In Rust (Sources/FrontendsRust) a module X stands for X.rs and X_*.rs, and they for what they use.
// In Swift (Sources/FrontendsSwift) files name no others: what each kind stands on is listed here.

/// A file of the frontends in the generated project.
struct DriverPart: Sendable {
  /// In the project.
  let path: String
  let text: String

  /// Everything of the frontends that a project needs, sorted by path.
  static func parts(of request: ScaffoldRequest) -> [DriverPart] {
    let roots = roots(of: request)
    guard !roots.isEmpty else { return [] }
    switch request.language {
    case .c: return sources(of: roots)
    case .rust: return modules(of: roots)
    case .swift: return files(of: roots)
    }
  }

  private static func files(of roots: [String]) -> [DriverPart] {
    let bus = ["Bus", "Device", "Events", "Grants", "PortingLayer", "Shared", "Store", "Text"]
    let wanted = roots.flatMap { root in
      switch root {
      case "console": ["Console", "Events", "PortingLayer"]
      case "block": bus + ["Block"]
      case "net": bus + ["Net"]
      default: bus
      }
    }
    return Templates.files(below: "Sources/FrontendsSwift").filter { file in
      wanted.contains { file.path.hasPrefix($0) }
    }.map { DriverPart(path: "frontends/" + $0.path, text: $0.text) }
  }

  private static func sources(of roots: [String]) -> [DriverPart] {
    let all = Templates.files(below: "Sources/Frontends").filter {
      $0.path.hasSuffix(".c") || $0.path.hasSuffix(".h")
    }
    return closure(of: roots.map { "xg_\($0).h" }, in: all) { header, name in
      let stem = header.dropLast(".h".count)
      return name == header || name == stem + ".c" || name.hasPrefix(stem + "_")
    } next: {
      includes(of: $0)
    }
  }

  private static func modules(of roots: [String]) -> [DriverPart] {
    let folder = Templates.files(below: "Sources/FrontendsRust").filter { $0.path.hasSuffix(".rs") }
    let all = folder.filter { $0.path != root }
    let parts = closure(of: roots, in: all) { module, name in
      name == module + ".rs" || name.hasPrefix(module + "_")
    } next: {
      uses(of: $0)
    }
    let names = parts.map { $0.path.dropFirst("frontends/src/".count).dropLast(".rs".count) }
    guard let library = folder.first(where: { $0.path == root }) else { return parts }
    let lines = library.text.split(separator: "\n", omittingEmptySubsequences: false).filter {
      line in
      guard line.hasSuffix(";"), let range = line.firstRange(of: "mod ") else { return true }
      return names.contains(line[range.upperBound...].dropLast())
    }
    return parts + [DriverPart(path: "frontends/" + root, text: lines.joined(separator: "\n"))]
  }

  /// Where the modules are named.
  private static let root = "src/lib.rs"

  /// The files that `belongs` to a name, and those to the names that they lead to.
  private static func closure(
    of names: [String], in all: [EmbeddedFile], belongs: (String, Substring) -> Bool,
    next: (EmbeddedFile) -> [String]
  ) -> [DriverPart] {
    var wanted = names
    var taken: [String: EmbeddedFile] = [:]
    while let wish = wanted.popLast() {
      for file in all where taken[file.path] == nil {
        guard let name = file.path.split(separator: "/").last, belongs(wish, name) else { continue }
        taken[file.path] = file
        wanted += next(file)
      }
    }
    return taken.values.sorted { $0.path < $1.path }.map {
      DriverPart(path: "frontends/" + $0.path, text: $0.text)
    }
  }

  private static func roots(of request: ScaffoldRequest) -> [String] {
    switch request.kind {
    case .kernel: request.template == .minimal ? [] : ["block", "net"]
    case .console: ["console"]
    case .block: ["block"]
    case .net: ["net"]
    case .xenbus: ["bus"]
    }
  }

  /// Headers of the frontends that a file includes.
  private static func includes(of file: EmbeddedFile) -> [String] {
    file.text.split(separator: "\n").compactMap { line in
      guard line.hasPrefix("#include \"xg_") else { return nil }
      return line.split(separator: "\"").dropFirst().first.map(String.init)
    }
  }

  /// Modules of the frontends that a file uses.
  private static func uses(of file: EmbeddedFile) -> [String] {
    let parts = file.text.split(separator: "crate::", omittingEmptySubsequences: false).dropFirst()
    return parts.map { String($0.prefix { $0.isLetter || $0 == "_" }) }
  }
}
