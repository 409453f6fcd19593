// Validation by an independent program: python3's jsonschema with the schema that OASIS publishes.

import Foundation

/// The published schema of SARIF 2.1.0, where this machine has it.
enum SARIFSchema {
  /// Beside the package, or in the folder that XENOGRAFT_SCHEMAS names.
  static let path: String? = {
    let package = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    var folders = [package.appending(path: "../shared/schemas").standardizedFileURL]
    if let folder = ProcessInfo.processInfo.environment["XENOGRAFT_SCHEMAS"] {
      folders.insert(URL(filePath: folder), at: 0)
    }
    return folders.map { $0.appending(path: "sarif-schema-2.1.0.json").path(percentEncoded: false) }
      .first { FileManager.default.fileExists(atPath: $0) }
  }()

  static let hasValidator: Bool =
    (try? python("import jsonschema; print('yes')", [])) == "yes\n"

  /// `valid` and a line break, or what is wrong.
  static func validate(_ bytes: [UInt8], schema: String) throws -> String {
    let file = FileManager.default.temporaryDirectory
      .appending(path: "xenograft-\(UUID().uuidString).sarif")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let program = """
      import json, sys, jsonschema
      schema = json.load(open(sys.argv[1]))
      log = json.load(open(sys.argv[2]))
      errors = list(jsonschema.validators.validator_for(schema)(schema).iter_errors(log))
      for error in errors[:5]:
          print(list(error.absolute_path), error.message[:300])
      print('valid' if not errors else 'invalid')
      """
    return try python(program, [schema, file.path(percentEncoded: false)])
  }

  private static func python(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["timeout", "120", "python3", "-c", program] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
