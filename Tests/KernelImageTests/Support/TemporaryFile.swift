// Files that exist as long as a test looks at them.

import Foundation

/// Writes bytes to a file of its own, hands its path to `body` and removes it.
func withTemporaryFile<Result>(
  _ bytes: some Sequence<UInt8>, _ body: (String) throws -> Result
) throws -> Result {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("xenograft-\(UUID().uuidString)")
  try Data(bytes).write(to: url)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}

/// A compressor of the host, run on bytes; `nil` where the host lacks it.
struct HostTool {
  var name: String
  var arguments: [String]

  var path: String? {
    ["/usr/bin/", "/bin/", "/usr/local/bin/"].map { $0 + name }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  func run(on bytes: [UInt8]) throws -> [UInt8] {
    guard let path else { throw CocoaError(.fileNoSuchFile) }
    return try withTemporaryFile(bytes) { input in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: path)
      process.arguments = arguments
      let output = Pipe()
      process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: input))
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      try process.run()
      let data = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return Array(data)
    }
  }
}
