// A request becomes files: the kind's templates rendered, the parts of Sources/Frontends* that it
// needs, and the ABI in its language.

public import ABIGenerator
public import ABISchema

/// Generates projects.
public struct Scaffold: Sendable {
  private let abi: ABI

  /// The ABI's headers and modules are generated from `abi`.
  public init(abi: ABI) {
    self.abi = abi
  }

  /// Every file of the project, sorted by path.
  public func files(for request: ScaffoldRequest) throws(ScaffoldError) -> [GeneratedFile] {
    let languages = request.languages
    guard languages.contains(request.language) else {
      throw .language(
        kind: request.kind, found: request.language.rawValue, known: languages.map(\.rawValue))
    }
    guard request.kind == .kernel || request.preset.languages.contains(request.language) else {
      let known = ScaffoldPreset.allCases.filter { $0.languages.contains(request.language) }
      throw .preset(
        language: request.language.rawValue, found: request.preset.rawValue,
        known: known.map(\.rawValue))
    }
    guard request.architectures.contains(request.architecture) else {
      throw .architecture(
        language: request.language.rawValue, found: request.architecture.rawValue,
        known: request.architectures.map(\.rawValue))
    }
    guard isName(request.name) else { throw .name(request.name) }
    let parts = DriverPart.parts(of: request)
    let renderer = TemplateRenderer(request: request, parts: parts)
    // A file takes the place of its namesake in a folder before.
    var rendered: [String: GeneratedFile] = [:]
    for folder in folders(of: request) {
      for template in Templates.files(below: folder) {
        let file = try renderer.render(template, in: folder)
        rendered[file.path] = file
      }
    }
    var files = Array(rendered.values)
    if request.kind != .kernel, request.preset == .bare { files += kernelParts(request) }
    if request.kind == .kernel, request.language == .c {
      files += memoryFunctions(request.architecture)
    }
    if request.kind == .kernel, request.template == .devices { files += packets() }
    files += parts.map { GeneratedFile(path: $0.path, text: $0.text) }
    files += interface(for: request)
    return files.sorted { $0.path < $1.path }
  }

  private func folders(of request: ScaffoldRequest) -> [String] {
    guard request.kind == .kernel else {
      guard request.language == .c else {
        let folder = "templates/driver-\(request.language.rawValue)"
        return ["\(folder)/common"] + (request.hasLife ? ["\(folder)/life"] : [])
          + ["\(folder)/\(request.kind.rawValue)"]
      }
      let folders = ["templates/driver/common", "templates/driver/\(request.preset.rawValue)"]
      guard request.hasLife else { return folders }
      return folders + [
        "templates/driver/bare-life", "templates/driver/bare-\(request.kind.rawValue)",
      ]
    }
    let folders = ["templates/kernel/common"] + kernelFolders(request)
    switch request.template {
    case .minimal: return folders
    case .devices, .webserver:
      return folders + ["templates/driver/bare", "templates/driver/bare-life"]
        + ["templates/kernel/\(request.template.rawValue)"]
    }
  }

  /// A kernel's own files; those of another architecture take the place of their namesakes.
  private func kernelFolders(_ request: ScaffoldRequest) -> [String] {
    let kernel = "templates/kernel/\(request.language.rawValue)"
    guard request.architecture != .x86_64 else { return [kernel] }
    return [kernel, "\(kernel)-\(request.architecture.rawValue)"]
  }

  /// What stands for the system of a driver for a bare kernel.
  ///
  /// That is a part of what `generate kernel` writes: in C its headers, in Rust the modules that the
  /// porting layer calls, in Swift the header of what it has for drivers.
  private func kernelParts(_ request: ScaffoldRequest) -> [GeneratedFile] {
    if request.language == .swift {
      return Templates.files(below: "templates/kernel/swift/Kernel")
        .map { GeneratedFile(path: "system/" + $0.path, text: $0.text) }
    }
    let names = ["clock", "console", "domain", "events", "heap", "pages", "single"].map {
      $0 + ".rs"
    }
    var parts: [String: GeneratedFile] = [:]
    for folder in kernelFolders(request) {
      for file in Templates.files(below: "\(folder)/src")
      where request.language == .c ? file.path.hasSuffix(".h") : names.contains(file.path) {
        parts[file.path] = GeneratedFile(path: "system/" + file.path, text: file.text)
      }
    }
    return Array(parts.values)
  }

  /// memcpy and its like, which are those of the hypervisor; for 32 bits division as well.
  private func memoryFunctions(_ architecture: Architecture) -> [GeneratedFile] {
    Templates.files(below: "Sources/CFreestanding").compactMap { file in
      switch file.path {
      case "Memory.c": GeneratedFile(path: "src/text.c", text: file.text)
      case "Divide.c" where architecture == .x86_32:
        GeneratedFile(path: "src/divide.c", text: file.text)
      default: nil
      }
    }
  }

  /// Numbers in packets, which are those of the network driver's life.
  private func packets() -> [GeneratedFile] {
    Templates.files(below: "templates/driver/bare-net").filter { $0.path == "src/xg_packet.h" }
      .map { GeneratedFile(path: $0.path, text: $0.text) }
  }

  /// The ABI for the request's architecture, where each language's build looks for it.
  ///
  /// A kernel in Swift does with the header, and rings are in Swift.
  private func interface(for request: ScaffoldRequest) -> [GeneratedFile] {
    let generator = Generator(abi: abi, architectures: [request.architecture])
    let rings = request.kind != .kernel
    switch request.language {
    case .c:
      return generator.generate(.c).map { GeneratedFile(path: "include/" + $0.path, text: $0.text) }
    case .rust:
      return generator.generate(.rust).filter { $0.path.hasPrefix("src/") }
        .map { GeneratedFile(path: "xenabi/" + $0.path.dropFirst("src/".count), text: $0.text) }
    case .swift:
      return generator.generate(.swift).filter {
        $0.path.hasPrefix("CXenABI/") || (rings && $0.path.hasPrefix("XenABI/"))
      }
      .map { GeneratedFile(path: "abi/" + $0.path, text: $0.text) }
    }
  }

  /// A name is part of file names, C strings and make's words.
  private func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 40 else { return false }
    func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a }
    return isLetter(first)
      && name.utf8.allSatisfy {
        isLetter($0) || ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: "-")
          || $0 == UInt8(ascii: "_")
      }
  }
}
