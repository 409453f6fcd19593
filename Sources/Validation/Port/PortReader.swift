// Reads a PORT.yaml. Every fault has its line and column, and says what was expected and found; all of
// them are told at once.

public import ABISchema
import Foundation
import Harness
import Yams

/// What reading a PORT.yaml gave.
public struct PortLoadResult: Sendable {
  /// `nil` where a diagnostic is an error.
  public var port: Port?
  /// By line.
  public var diagnostics: [Diagnostic]
}

/// Reads one PORT.yaml.
public struct PortReader {
  static let timeouts = 0.1...86_400.0
  static let memories = 4...1 << 20
  static let diskSizes = 1...1 << 16
  private static let mostChecks = 500

  let file: String
  let folder: String
  let sink = DiagnosticSink()

  /// Reads the file at `path`.
  public static func load(path: String) -> PortLoadResult {
    let place = SourcePosition(file: path, line: 1, column: 1)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
      let data = FileManager.default.contents(atPath: path)
    else {
      let found = isFolder.boolValue ? "a folder" : "no file that can be read"
      return PortLoadResult(
        port: nil, diagnostics: [Diagnostic(at: place, "expected a PORT.yaml, found \(found)")])
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      return PortLoadResult(
        port: nil, diagnostics: [Diagnostic(at: place, "expected UTF-8 text, found other bytes")])
    }
    return read(text, file: path)
  }

  /// Reads `text`, which stands in `file`.
  public static func read(_ text: String, file: String) -> PortLoadResult {
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    let reader = PortReader(file: file, folder: folder)
    let port = reader.read(text)
    let diagnostics = reader.sink.sorted
    let isSound = !diagnostics.contains { $0.severity == .error }
    return PortLoadResult(port: isSound ? port : nil, diagnostics: diagnostics)
  }

  private func read(_ text: String) -> Port? {
    guard
      let root = YAMLText.parse(
        text, file: file, form: "a mapping with `kernel` and `checks`", into: sink),
      let map = MapReader(root, what: "a port", keys: PortKeys.top, file: file, sink: sink),
      let kernel = path(map, "kernel", required: true)
    else { return nil }
    var port = Port(
      file: file, folder: folder, name: name(map) ?? Self.defaultName(kernel), kernel: kernel)
    port.build = build(map)
    port.machine = machine(map)
    port.checks = checks(map, port.machine)
    return port
  }

  /// The kernel's file name.
  private static func defaultName(_ kernel: PortPath) -> String {
    kernel.text.split(separator: "/").last.map(String.init) ?? "kernel"
  }

  /// A name is part of file names.
  private func name(_ map: MapReader) -> String? {
    guard let name = map.string("name") else { return nil }
    guard Self.isName(name) else {
      sink.error(
        map.position(of: "name"),
        "expected a name of letters, digits, `-`, `_` and `.`, found `\(name.prefix(40))`")
      return nil
    }
    return name
  }

  /// At most sixty letters, digits and marks, none of which begins a hidden file or an option.
  static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 60 else { return false }
    func isLetter(_ byte: UInt8) -> Bool {
      (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a || byte >= 0x30 && byte <= 0x39
    }
    return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || "-_.".utf8.contains($0) }
  }

  private func build(_ map: MapReader) -> BuildCommand? {
    guard let node = map.node("build") else { return nil }
    let position = map.position(of: "build")
    if case .scalar = node {
      return map.string("build").map { BuildCommand(command: $0, position: position) }
    }
    guard
      let fields = MapReader(node, what: "`build`", keys: PortKeys.build, file: file, sink: sink),
      let command = fields.string("command", required: true)
    else { return nil }
    var build = BuildCommand(command: command, position: position)
    build.timeout = number(fields, "timeout", in: Self.timeouts) ?? build.timeout
    return build
  }

  private func machine(_ map: MapReader) -> PortMachine {
    var machine = PortMachine()
    machine.initrd = path(map, "initrd")
    if map.has("cmdline") { machine.commandLine = line(map, "cmdline") ?? "" }
    machine.memory = integer(map, "memory", in: Self.memories) ?? machine.memory
    machine.vcpus = integer(map, "vcpus", in: 1...128) ?? machine.vcpus
    machine.processors = integer(map, "cpus", in: 1...64)
    machine.timeout = number(map, "timeout", in: Self.timeouts) ?? machine.timeout
    machine.hypervisor = map.choice("hypervisor") ?? machine.hypervisor
    machine.acceleration = map.choice("accel") ?? machine.acceleration
    machine.hasNetwork = map.boolean("network")
    machine.disks = disks(map)
    return machine
  }

  private func disks(_ map: MapReader) -> [PortDisk] {
    var disks: [PortDisk] = []
    for node in map.list("disks") {
      guard
        let fields = MapReader(node, what: "a disk", keys: PortKeys.disk, file: file, sink: sink)
      else { continue }
      let names = (UInt8(ascii: "a")...UInt8(ascii: "z")).map { "xvd" + String(UnicodeScalar($0)) }
      let free = names.first { name in !disks.contains { $0.name == name } }
      guard let name = fields.string("name") ?? free, names.contains(name) else {
        sink.error(
          fields.position(of: "name"), "expected a name from xvda to xvdz, found another",
          hint: "at most 26 disks")
        continue
      }
      guard !disks.contains(where: { $0.name == name }) else {
        sink.error(
          fields.position(of: "name"),
          "expected a name of its own for each disk, found `\(name)` twice")
        continue
      }
      let file = path(fields, "file")
      let size = integer(fields, "size", in: Self.diskSizes)
      guard fields.has("file") != fields.has("size") else {
        sink.error(
          fields.position,
          "expected `file` or `size` in a disk, found "
            + (fields.has("file") ? "both" : "neither"),
          hint: "file: a path; size: MiB of zeros")
        continue
      }
      let contents: PortDisk.Contents? = file.map { .file($0) } ?? size.map { .zeros($0) }
      guard let contents else { continue }
      disks.append(
        PortDisk(name: name, contents: contents, isReadOnly: fields.boolean("read-only")))
    }
    return disks
  }

  private func checks(_ map: MapReader, _ machine: PortMachine) -> [Check] {
    guard map.has("checks") else {
      sink.error(map.position, "expected `checks`, found no such key here")
      return []
    }
    let nodes = map.list("checks")
    if nodes.isEmpty, case .sequence? = map.node("checks") {
      sink.error(map.position(of: "checks"), "expected at least one check, found none")
    }
    guard nodes.count <= Self.mostChecks else {
      sink.error(
        map.position(of: "checks"),
        "expected at most \(Self.mostChecks) checks, found \(nodes.count)")
      return []
    }
    var checks: [Check] = []
    for node in nodes {
      guard let check = check(node, machine) else { continue }
      guard !checks.contains(where: { $0.name == check.name }) else {
        sink.error(
          check.position, "expected a name of its own for each check, found `\(check.name)` twice",
          hint: "add `name:` to one of them")
        continue
      }
      checks.append(check)
    }
    return checks
  }

  private func check(_ node: Node, _ machine: PortMachine) -> Check? {
    let position = node.position(in: file)
    // A check without options is its kind's name alone.
    if case .scalar(let scalar) = node {
      guard let kind = kind(scalar.string, at: position) else { return nil }
      let empty = Node.Mapping([], Tag(.implicit), .any, node.mark)
      let fields = MapReader(
        .mapping(empty), what: "a check", keys: [], file: file, sink: sink)
      return fields.flatMap { body(kind, $0, machine) }
        .map { Check(name: kind.rawValue, position: position, body: $0) }
    }
    guard case .mapping(let mapping) = node else {
      sink.error(
        position, "expected a check's kind, or a mapping with `check`, found \(node.kindName)")
      return nil
    }
    guard let named = mapping.first(where: { $0.key.string == "check" })?.value else {
      sink.error(
        position, "expected `check` with the check's kind, found no such key here",
        hint: "the kinds are \(CheckKind.allCases.map(\.rawValue).joined(separator: ", "))")
      return nil
    }
    guard let text = named.string, let kind = kind(text, at: named.position(in: file)),
      let fields = MapReader(
        node, what: "a check of kind `\(text)`", keys: PortKeys.ofEveryCheck + kind.keys,
        file: file, sink: sink)
    else { return nil }
    let name = name(fields)
    guard let body = body(kind, fields, machine) else { return nil }
    return Check(name: name ?? kind.rawValue, position: position, body: body)
  }

  private func kind(_ text: String, at position: SourcePosition) -> CheckKind? {
    if let kind = CheckKind(rawValue: text) { return kind }
    let all = CheckKind.allCases.map(\.rawValue)
    sink.error(
      position, "expected a check's kind, found `\(text.prefix(40))`",
      hint: NearNames.hint(text, in: all) ?? "the kinds are \(all.joined(separator: ", "))")
    return nil
  }
}
