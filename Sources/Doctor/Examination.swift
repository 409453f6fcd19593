// Looks for each thing that some activity needs, and concludes what can be done.

import Harness

/// The examination of a machine.
public struct Examination<Machine: Examinable> {
  private let machine: Machine
  private let packages: PackageList
  private let places: ImagePlaces

  /// Makes an examination of `machine`.
  public init(_ machine: Machine, packages: PackageList = .builtin) {
    self.machine = machine
    self.packages = packages
    places = ImagePlaces(
      commandFolder: machine.commandFolder, environment: machine.environment,
      names: machine.names(in:))
  }

  /// Examines; `version` is this command's own.
  public func diagnosis(version: String) -> Diagnosis {
    var diagnosis = Diagnosis()
    diagnosis.version = version
    diagnosis.system = machine.system
    diagnosis.processors = machine.processors
    let installed = installedPackages()
    for activity in Activity.all {
      for need in activity.needs + activity.wants.map(\.need) where diagnosis.thing(need) == nil {
        diagnosis.things.append(examine(need, installed))
      }
    }
    for activity in Activity.all {
      func isLacking(_ need: Need) -> Bool {
        diagnosis.thing(need)?.state.isLacking ?? true
      }
      diagnosis.outcomes.append(
        Diagnosis.Outcome(
          activity: activity, lacking: activity.needs.filter(isLacking),
          notes: activity.wants.filter { isLacking($0.need) }
            .map { "without \($0.need.name), \($0.note)" }))
    }
    let device = HardwareAcceleration.device
    diagnosis.acceleration = HardwareAcceleration(
      isThere: machine.exists(device), isPermitted: machine.isWritable(device),
      processor: machine.text(of: "/proc/cpuinfo") ?? "")
    diagnosis.memory = machine.memory
    for (path, use) in [(machine.temporaryFolder, "boots are staged there"), (".", "this folder")] {
      if let free = machine.freeSpace(in: path) { diagnosis.disks.append((path, use, free)) }
    }
    return diagnosis
  }

  private func examine(_ need: Need, _ installed: Set<String>?) -> Diagnosis.Thing {
    switch need {
    case .tool(let tool): examine(tool)
    case .embeddedSwift: embeddedSwift()
    case .image(let image): examine(image)
    case .packages(let goal): examine(goal, installed)
    }
  }

  private func examine(_ tool: Tool) -> Diagnosis.Thing {
    let need = Need.tool(tool)
    guard let path = machine.path(ofProgram: tool.program) else { return missing(need) }
    guard let text = machine.output(of: path, tool.versionArguments) else {
      return lacking(
        need, .unfit, path,
        "`\(([tool.program] + tool.versionArguments).joined(separator: " "))` fails")
    }
    var thing = Diagnosis.Thing(need: need, state: .found, path: path)
    thing.version = Version(in: text)
    if let oldest = tool.oldest, let version = thing.version, version < oldest {
      thing = lacking(need, .unfit, path, "older than \(oldest)")
      thing.version = Version(in: text)
    }
    if tool == .rustc { thing.note = rustTarget(path) }
    return thing
  }

  /// Which core library a kernel in Rust is linked with.
  private func rustTarget(_ rustc: String) -> String? {
    guard let root = machine.output(of: rustc, ["--print", "sysroot"])?.firstLine else {
      return nil
    }
    return machine.exists(root + "/lib/rustlib/x86_64-unknown-none")
      ? "with the target x86_64-unknown-none"
      : "without the target x86_64-unknown-none: the host's core library is used"
  }

  /// The toolchain's resources, as its compiler names them.
  private func embeddedSwift() -> Diagnosis.Thing {
    guard let swiftc = machine.path(ofProgram: Tool.swift.program) else {
      return missing(.embeddedSwift)
    }
    let key = "\"runtimeResourcePath\""
    let information = machine.output(
      of: swiftc, ["-print-target-info", "-target", Need.bareTriple])
    let line = information?.split(separator: "\n").first { $0.contains(key) }
    guard let folder = line?.split(separator: "\"").last(where: { $0.hasPrefix("/") }) else {
      return lacking(.embeddedSwift, .unfit, swiftc, "the compiler does not know the target")
    }
    let path = "\(folder)/embedded/Swift.swiftmodule"
    let isThere = machine.names(in: path).contains { $0.hasPrefix(Need.bareTriple) }
    guard isThere || machine.exists("\(folder)/embedded/\(Need.bareTriple)") else {
      return lacking(.embeddedSwift, .missing, swiftc, "not in this toolchain")
    }
    return Diagnosis.Thing(need: .embeddedSwift, state: .found, path: "\(folder)/embedded")
  }

  private func examine(_ image: BootImage) -> Diagnosis.Thing {
    let candidates = places.places(of: image)
    let found = candidates.first { place in
      image.files(at: place.path).allSatisfy(machine.isReadable)
    }
    guard let found else {
      var thing = missing(.image(image))
      thing.note = "neither " + candidates.map(\.path).joined(separator: " nor ")
      if candidates.count < 2 { thing.note = candidates.first.map { "not \($0.path)" } }
      return thing
    }
    return Diagnosis.Thing(
      need: .image(image), state: .found, path: found.path, note: found.rule)
  }

  private func examine(_ goal: Goal, _ installed: Set<String>?) -> Diagnosis.Thing {
    let need = Need.packages(goal)
    guard let installed else {
      return Diagnosis.Thing(
        need: need, state: .unknown, note: "no dpkg here to ask",
        packages: packages.names(for: goal))
    }
    let names = packages.names(for: goal).filter { !installed.contains($0) }
    guard names.isEmpty else {
      return Diagnosis.Thing(
        need: need, state: .missing, note: names.joined(separator: ", "), packages: names)
    }
    return Diagnosis.Thing(
      need: need, state: .found, note: "\(packages.names(for: goal).count) packages")
  }

  /// Names of the installed packages; `nil` where the system has no dpkg.
  private func installedPackages() -> Set<String>? {
    guard let query = machine.path(ofProgram: "dpkg-query"),
      let text = machine.output(of: query, ["-W", "-f", "${db:Status-Abbrev} ${Package}\\n"])
    else { return nil }
    var names: Set<String> = []
    for line in text.split(separator: "\n") where line.hasPrefix("ii") {
      if let name = line.split(separator: " ").last { names.insert(String(name)) }
    }
    // Where pip already brought it, Debian's jsonschema is not wanted as well.
    if let python = machine.path(ofProgram: "python3"),
      machine.output(of: python, ["-c", "import jsonschema"]) != nil
    {
      names.insert("python3-jsonschema")
    }
    return names
  }

  private func missing(_ need: Need) -> Diagnosis.Thing { lacking(need, .missing, nil, nil) }

  private func lacking(
    _ need: Need, _ state: Diagnosis.State, _ path: String?, _ note: String?
  ) -> Diagnosis.Thing {
    var thing = Diagnosis.Thing(need: need, state: state, path: path, note: note)
    if case .packages(let names) = need.cure { thing.packages = names }
    return thing
  }
}

extension String {
  /// Up to the line's end.
  fileprivate var firstLine: String? { split(separator: "\n").first.map(String.init) }
}
