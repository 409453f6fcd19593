// Which files of Sources/Frontends a driver consists of. A header xg_X.h stands for the sources xg_X.c
// and xg_X_*.c, and they for what they include: the closure is the driver, and nothing else is copied.

/// A file of the frontends in the generated project.
struct DriverPart: Sendable {
  /// In the project.
  let path: String
  let text: String

  /// Everything of the frontends that a project needs, sorted by path.
  static func parts(of request: ScaffoldRequest) -> [DriverPart] {
    let all = Templates.files(below: "Sources/Frontends").filter {
      $0.path.hasSuffix(".c") || $0.path.hasSuffix(".h")
    }
    var wanted = roots(of: request)
    var taken: [String: EmbeddedFile] = [:]
    while let header = wanted.popLast() {
      let stem = header.dropLast(".h".count)
      for file in all where taken[file.path] == nil {
        guard let name = file.path.split(separator: "/").last else { continue }
        guard name == header || name == stem + ".c" || name.hasPrefix(stem + "_") else { continue }
        taken[file.path] = file
        wanted += includes(of: file)
      }
    }
    return taken.values.sorted { $0.path < $1.path }.map {
      DriverPart(path: "frontends/" + $0.path, text: $0.text)
    }
  }

  private static func roots(of request: ScaffoldRequest) -> [String] {
    switch request.kind {
    case .kernel: request.template == .webserver ? ["xg_block.h", "xg_net.h"] : []
    case .console: ["xg_console.h"]
    case .block: ["xg_block.h"]
    case .net: ["xg_net.h"]
    case .xenbus: ["xg_bus.h"]
    }
  }

  /// Headers of the frontends that a file includes.
  private static func includes(of file: EmbeddedFile) -> [String] {
    file.text.split(separator: "\n").compactMap { line in
      guard line.hasPrefix("#include \"xg_") else { return nil }
      return line.split(separator: "\"").dropFirst().first.map(String.init)
    }
  }
}
