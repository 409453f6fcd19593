// Headless Chromium, as the tests of the HTML page drive it.

import Foundation

/// A browser on this machine.
struct Browser {
  let program: String

  /// Chromium under the names that distributions give it; `nil` where there is none.
  static let found: Browser? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    for name in ["chromium", "chromium-browser", "google-chrome"] {
      for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)")
      {
        return Browser(program: "\(folder)/\(name)")
      }
    }
    return nil
  }()

  /// The document's markup once `page` is loaded with `fragment` and its scripts have run.
  func dom(of page: [UInt8], fragment: String = "") throws -> String {
    try withPage(page, fragment) { url, _ in
      try run(["--dump-dom", "--virtual-time-budget=10000", url])
    }
  }

  /// Writes a picture of `page`.
  func screenshot(
    of page: [UInt8], fragment: String, size: (width: Int, height: Int), dark: Bool, to file: String
  ) throws {
    let scheme = dark ? ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] : []
    _ = try withPage(page, fragment) { url, _ in
      try run(
        scheme + [
          "--window-size=\(size.width),\(size.height)", "--hide-scrollbars",
          "--virtual-time-budget=10000", "--screenshot=\(file)", url,
        ])
    }
  }

  private func withPage(
    _ page: [UInt8], _ fragment: String, _ body: (String, URL) throws -> String
  ) throws -> String {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "xenograft-page-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "page.html")
    try Data(page).write(to: file)
    return try body(file.absoluteString + (fragment.isEmpty ? "" : "#" + fragment), folder)
  }

  private func run(_ arguments: [String]) throws -> String {
    let profile = FileManager.default.temporaryDirectory
      .appending(path: "xenograft-profile-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: profile) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      [
        "timeout", "90", program, "--headless", "--no-sandbox", "--disable-gpu",
        "--disable-dev-shm-usage", "--user-data-dir=\(profile.path(percentEncoded: false))",
      ] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
