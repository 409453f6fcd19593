// What the DWARF tests need of the machine: the Swift toolchain's C compiler and its LLVM tools,
// with which they build their own small programs.

import Foundation

/// Finds and runs tools, and keeps the files of one test in a directory of its own.
final class DwarfToolchain {
  let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("xenograft-dwarf-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  /// The tools are there; the tests that need them are skipped otherwise.
  static var isAvailable: Bool {
    ["clang", "ld.lld", "llvm-objcopy", "llvm-symbolizer"].allSatisfy { find($0) != nil }
  }

  /// A tool beside the `swift` that is on the path, else one on the path itself.
  private static func find(_ name: String) -> URL? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let directories = path.split(separator: ":").map { URL(fileURLWithPath: String($0)) }
    let beside = directories.first { directory in
      FileManager.default.isExecutableFile(atPath: directory.appendingPathComponent("swift").path)
    }
    return ([beside].compactMap { $0 } + directories)
      .map { $0.appendingPathComponent(name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

  func write(_ text: String, to name: String) throws {
    try text.write(toFile: path(name), atomically: true, encoding: .utf8)
  }

  /// Runs a tool in the test's directory and answers what it printed.
  @discardableResult
  func run(_ tool: String, _ arguments: [String], input: String = "") throws -> Data {
    struct ToolFailed: Error {
      var command: [String]
      var status: Int32
    }
    guard let executable = Self.find(tool) else {
      throw ToolFailed(command: [tool], status: 127)
    }
    // Files instead of pipes: neither side can wait for the other.
    let stem = UUID().uuidString
    try write(input, to: stem + ".in")
    try write("", to: stem + ".out")
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = directory
    process.standardInput = FileHandle(forReadingAtPath: path(stem + ".in"))
    process.standardOutput = FileHandle(forWritingAtPath: path(stem + ".out"))
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ToolFailed(command: [tool] + arguments, status: process.terminationStatus)
    }
    return try Data(contentsOf: directory.appendingPathComponent(stem + ".out"))
  }

  /// Compiles and links ``inlinedSource`` to `name`; the code begins at 0x401000.
  func build(_ name: String, _ flags: [String]) throws {
    try write(Self.inlinedSource, to: "ports.c")
    try FileManager.default.createDirectory(
      atPath: path("include/asm"), withIntermediateDirectories: true)
    try write(Self.header, to: "include/asm/ports.h")
    try run("clang", Self.flags + flags + ["-c", "ports.c", "-o", name + ".o"])
    let is32 = flags.contains("-m32")
    try run(
      "ld.lld",
      [
        "-m", is32 ? "elf_i386" : "elf_x86_64", "-e", "0", "-Ttext=0x401000", "--build-id",
        name + ".o", "-o", name,
      ])
  }

  private static let flags = [
    "-O2", "-ffreestanding", "-fno-pic", "-Iinclude", "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
  ]

  static let header = """
    #pragma once
    static inline __attribute__((always_inline)) unsigned char read_port(unsigned short port) {
      unsigned char value;
      __asm__ volatile("inb %w1, %b0" : "=a"(value) : "d"(port));
      return value;
    }
    """

  /// Functions inlined into each other over two files, a block with variables, and a section of its
  /// own for one function.
  static let inlinedSource = """
    #include <asm/ports.h>
    struct list { int value; struct list *next; };
    static inline __attribute__((always_inline)) int read_pair(unsigned short port) {
      int low = read_port(port);
      return low | read_port(port + 1) << 8;
    }
    __attribute__((noinline)) static int sum(struct list *list) {
      int total = 0;
      while (list) { total += list->value; list = list->next; }
      return total;
    }
    int poll_ports(int count) {
      int total = 0;
      for (int port = 0; port < count; port++) {
        int value = read_pair(port);
        if (value > 3) { int twice = value * 2; total += twice + read_port(value); }
      }
      return total;
    }
    int either(struct list *list, int port) {
      if (port) return read_pair(port) + sum(list);
      return sum(list);
    }
    __attribute__((section(".init.text"))) int start(int count) {
      return poll_ports(count) + read_port(0x60);
    }
    """
}
