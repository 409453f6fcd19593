// Where a command's files go: ordinary ones take the place of what was there, whole or not at all; a
// device or a pipe is written to and stays what it is.

import Foundation
import Testing

@Suite struct OutputFileTests {
  /// Files that are written at the end, and such as grow while a guest runs.
  static let options = ["--output", "--result", "--trace", "--log", "--events"]

  static let machine = "echo one; say info: shutdown: domain=0 reason=poweroff"

  /// Runs the command that has this option, with `path` behind it.
  private func write(_ option: String, _ path: String, on qemu: FakeQemu) throws -> Run {
    if option == "--output" {
      return try Command.run(["audit", "--format", "json", option, path, qemu.kernel])
    }
    return try qemu.boot([option, path])
  }

  /// The kind of what stands at a path itself, and not of what a link leads to.
  private func kind(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  @Test(arguments: options)
  func link_toADevice_stays(_ option: String) throws {
    let qemu = try FakeQemu(Self.machine)
    // A link in a folder of the test's own: what is renamed by mistake takes the link's place.
    let link = qemu.file("nothing")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/null")
    let run = try write(option, link, on: qemu)
    #expect(run.status < 2, "\(run.errors)")
    #expect(kind(link) == S_IFLNK)
    #expect(qemu.partials.isEmpty)
  }

  /// Makes a node of /dev/null's numbers, 1 and 3, which needs root and a file system that has devices.
  private func makeDevice(_ path: String) -> Bool {
    guard mknod(path, S_IFCHR | 0o666, 1 << 8 | 3) == 0 else { return false }
    return access(path, W_OK) == 0
  }

  @Test(arguments: options)
  func device_stays(_ option: String) throws {
    let qemu = try FakeQemu(Self.machine)
    let device = qemu.file("device")
    guard makeDevice(device) else { try Test.cancel("no right to make a device here") }
    let run = try write(option, device, on: qemu)
    #expect(run.status < 2, "\(run.errors)")
    #expect(kind(device) == S_IFCHR)
    #expect(qemu.partials.isEmpty)
  }

  @Test(arguments: options)
  func pipe_takesTheBytes_andStays(_ option: String) throws {
    let qemu = try FakeQemu(Self.machine)
    let ordinary = qemu.file("ordinary")
    let expected = try write(option, ordinary, on: qemu)
    let whole = try Data(contentsOf: URL(filePath: ordinary))
    let pipe = qemu.file("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    // Open before the command is, so that it need not wait, nor this if it never opens the pipe.
    let reader = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    try #require(reader >= 0)
    defer { close(reader) }
    let taken = Taken()
    let done = DispatchSemaphore(value: 0)
    DispatchQueue.global().async {
      taken.readAll(reader)
      done.signal()
    }
    let run = try write(option, pipe, on: qemu)
    taken.end()
    done.wait()
    #expect(run.status == expected.status, "\(run.errors)")
    #expect(kind(pipe) == S_IFIFO)
    #expect(!whole.isEmpty)
    // Times differ from boot to boot.
    if option == "--output" || option == "--log" {
      #expect(taken.bytes == whole)
    } else {
      #expect(!taken.bytes.isEmpty)
    }
    #expect(qemu.partials.isEmpty)
  }

  @Test func standardOutput_byItsName() throws {
    let qemu = try FakeQemu(Self.machine)
    let plain = try Command.run(["audit", "--format", "json", qemu.kernel])
    let link = qemu.file("out")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/stdout")
    let run = try write("--output", link, on: qemu)
    #expect(run.status == plain.status, "\(run.errors)")
    #expect(run.output == plain.output && !run.output.isEmpty)
    #expect(kind(link) == S_IFLNK)
  }

  @Test(arguments: options)
  func ordinaryFile_isReplacedAsAWhole(_ option: String) throws {
    let qemu = try FakeQemu(Self.machine)
    let path = try qemu.scratch.file("file", Array("what was there".utf8))
    // The same file by another name: what writes into it in place would show there.
    let other = qemu.file("other")
    try FileManager.default.linkItem(atPath: path, toPath: other)
    let run = try write(option, path, on: qemu)
    #expect(run.status < 2, "\(run.errors)")
    #expect(try qemu.text("other") == "what was there")
    #expect(try !qemu.text("file").isEmpty && qemu.text("file") != "what was there")
    #expect(qemu.partials.isEmpty)
  }

  /// No file may be larger than `blocks` of 512 bytes, so that a write fails under way.
  @Test(arguments: [("--output", 1), ("--log", 200), ("--events", 200)])
  func whatCannotBeWrittenWhole_isNotWritten(_ option: String, _ blocks: Int) throws {
    let lines =
      "i=0; while [ $i -lt 4000 ]; do echo line $i of a guest that has much to say; i=$((i + 1)); done; "
    let qemu = try FakeQemu(lines + Self.machine)
    let path = try qemu.scratch.file("file", Array("what was there".utf8))
    var words = ["boot", "--rootstock", qemu.file("hypervisor"), "--accel", "tcg", option, path]
    if option == "--output" { words = ["audit", "--format", "json", option, path] }
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments =
      ["-c", "trap '' XFSZ; ulimit -f \(blocks); exec \"$0\" \"$@\"", Command.path] + words
      + [qemu.kernel]
    process.environment = ProcessInfo.processInfo.environment.merging(["PATH": qemu.search]) { $1 }
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 2, "\(text)")
    #expect(text.contains("expected a file that can be written"), "\(text)")
    #expect(try qemu.text("file") == "what was there")
    #expect(qemu.partials.isEmpty)
  }
}

/// What came out of a pipe, read beside the test.
private final class Taken: @unchecked Sendable {
  // SAFETY: `bytes` belongs to the reader until it is done, which the test waits for; the flag is
  // under the lock.
  private(set) var bytes = Data()
  private var isEnded = false
  private let lock = NSLock()

  func end() { lock.withLock { isEnded = true } }

  /// Reads until nobody will write any more: empty, after the command's end.
  func readAll(_ descriptor: Int32) {
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let isLast = lock.withLock { isEnded }
      let count = read(descriptor, &buffer, buffer.count)
      if count > 0 {
        bytes.append(contentsOf: buffer[..<count])
      } else if isLast {
        return
      } else {
        usleep(1000)
      }
    }
  }
}
