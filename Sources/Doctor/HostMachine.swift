// The machine on which the command runs.

public import Foundation

/// This machine.
public struct HostMachine: Examinable {
  /// What a program may take to say its version.
  private static let patience = 10.0

  /// Makes it.
  public init() {}

  public var system: String {
    let lines = text(of: "/etc/os-release")?.split(separator: "\n") ?? []
    let prefix = "PRETTY_NAME="
    let name = lines.first { $0.hasPrefix(prefix) }?.dropFirst(prefix.count)
    return name.map { $0.trimmingCharacters(in: ["\""]) } ?? "an unknown system"
  }

  public var processors: Int { ProcessInfo.processInfo.activeProcessorCount }

  public var memory: (total: UInt64, available: UInt64)? {
    var values: [Substring: UInt64] = [:]
    for line in text(of: "/proc/meminfo")?.split(separator: "\n") ?? [] {
      let words = line.split(separator: " ")
      if words.count > 1, let number = UInt64(words[1]) { values[words[0]] = number << 10 }
    }
    guard let total = values["MemTotal:"], let available = values["MemAvailable:"] else {
      return nil
    }
    return (total, available)
  }

  public var commandFolder: String {
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
  }

  public var temporaryFolder: String { FileManager.default.temporaryDirectory.path }

  public func freeSpace(in folder: String) -> UInt64? {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return nil }
    let (bytes, isLarger) = UInt64(status.f_bavail)
      .multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return isLarger ? .max : bytes
  }

  public func path(ofProgram name: String) -> String? {
    let folders = environment("PATH")?.split(separator: ":") ?? []
    return folders.map { "\($0)/\(name)" }.first { path in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        && !isFolder.boolValue && FileManager.default.isExecutableFile(atPath: path)
    }
  }

  public func output(of program: String, _ arguments: [String]) -> String? {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C"]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    guard (try? process.run()) != nil else { return nil }
    let watchdog = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience, execute: watchdog)
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    watchdog.cancel()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self)
  }

  public func isReadable(_ path: String) -> Bool {
    FileManager.default.isReadableFile(atPath: path)
  }

  public func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  public func isWritable(_ path: String) -> Bool { access(path, R_OK | W_OK) == 0 }

  public func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  public func text(of path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }

  public func environment(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name]
  }
}
