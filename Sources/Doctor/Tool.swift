// The programs that commands and generated projects call.

/// A program of another project.
struct Tool: Sendable, Equatable {
  /// What people call it.
  let name: String
  /// What PATH calls it.
  let program: String
  /// Debian's package; `nil` where Debian has none.
  let package: String?
  /// What makes it print its version.
  var versionArguments = ["--version"]
  /// The oldest version that will do, where that is known.
  var oldest: Version?
  /// Where it comes from, if from no package.
  var source: String?

  static let qemu = Tool(name: "QEMU", program: "qemu-system-x86_64", package: "qemu-system-x86")
  static let git = Tool(name: "git", program: "git", package: "git")
  static let make = Tool(name: "make", program: "make", package: "make")
  static let clang = Tool(name: "clang", program: "clang", package: "clang")
  static let lld = Tool(name: "ld.lld", program: "ld.lld", package: "lld")
  static let gcc = Tool(name: "gcc", program: "gcc", package: "gcc")
  static let rustc = Tool(name: "rustc", program: "rustc", package: "rustc")
  static let gdb = Tool(name: "gdb", program: "gdb", package: "gdb")
  static let swift = Tool(
    name: "Swift", program: "swiftc", package: nil, oldest: Version(parts: [6, 3]),
    source: "the toolchain of swift.org, 6.3 or later; put its bin folder on PATH")
}

/// The number of a version.
struct Version: Sendable, Comparable, CustomStringConvertible {
  let parts: [Int]

  init(parts: [Int]) {
    self.parts = parts
  }

  /// The first number with a point in what a program prints; `nil` without one.
  init?(in text: String) {
    guard let match = text.firstMatch(of: /\d+(?:\.\d+)+/) else { return nil }
    let parts = match.output.split(separator: ".").map { Int($0) }
    guard !parts.contains(nil) else { return nil }
    self.init(parts: parts.compactMap(\.self))
  }

  var description: String { parts.map(String.init).joined(separator: ".") }

  static func < (left: Self, right: Self) -> Bool {
    left.parts.lexicographicallyPrecedes(right.parts)
  }
}
