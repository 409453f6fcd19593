// `xenograft boot --interactive`: what is typed reaches the machine, and a terminal is as it was after.

import Foundation
import Testing

@Suite struct BootInteractiveTests {
  private static let end = "say info: shutdown: domain=0 reason=poweroff"

  /// A pipe with text in it, at its end or not.
  private func pipe(_ text: String, isClosed: Bool) throws -> Pipe {
    let pipe = Pipe()
    try pipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    if isClosed { try pipe.fileHandleForWriting.close() }
    return pipe
  }

  @Test(arguments: [true, false])
  func input_reachesTheMachine(isClosed: Bool) throws {
    let qemu = try FakeQemu(
      "say info: hello; read one; echo \"got $one\"; read two; echo \"got $two\"; \(Self.end)")
    let input = try pipe("first\nsecond\n", isClosed: isClosed)
    let run = try qemu.boot(["--interactive"], input: input)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.text == "got first\ngot second\n")
  }

  /// A serial port that is being set up drops what it holds.
  @Test func nothingIsSent_beforeTheMachineHasSpoken() throws {
    let qemu = try FakeQemu(
      """
      early=$(timeout 0.5 head -c 1); say info: hello; read line; echo "early: $early, then $line"
      \(Self.end)
      """)
    let run = try qemu.boot(["--interactive"], input: pipe("typed\n", isClosed: true))
    #expect(run.text == "early: , then typed\n")
  }

  @Test func endOfInput_leavesTheGuestRunning() throws {
    let qemu = try FakeQemu(
      "say info: hello; sleep 1; if timeout 0.2 cat; then echo closed; else echo open; fi; \(Self.end)"
    )
    let run = try qemu.boot(["--interactive"])
    #expect(run.status == 0 && run.text == "open\n")
  }

  @Test func withoutIt_nothingCanBeTyped() throws {
    let qemu = try FakeQemu("say info: hello; if read line; then echo $line; fi; \(Self.end)")
    let run = try qemu.boot(input: pipe("typed\n", isClosed: true))
    #expect(run.status == 0 && run.text.isEmpty)
  }

  @Test func flood_thatNobodyReads_endsWithTheMachine() throws {
    let qemu = try FakeQemu("say info: hello; sleep 1; \(Self.end)")
    let flood = try #require(FileHandle(forReadingAtPath: "/dev/zero"))
    let run = try qemu.boot(["--interactive"], input: flood)
    #expect(run.status == 0)
  }

  @Test(arguments: [["--disk", "x"], ["--net", "user"]])
  func guestBesideLinux_isRefused(device: [String]) throws {
    let run = try FakeQemu("").boot(["--interactive", "--hypervisor", "xen"] + device)
    #expect(
      run.status == 2 && run.errors.contains("--interactive: expected --hypervisor rootstock"))
  }

  /// The two ends of a terminal.
  private func terminal() throws -> (master: Int32, slave: FileHandle) {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    try #require(master >= 0)
    // TIOCSPTLCK and TIOCGPTN, which no header of Swift's has: unlock, and the number.
    var zero: Int32 = 0
    var number: UInt32 = 0
    let isUnlocked = ioctl(master, 0x4004_5431, &zero) == 0
    let isNumbered = ioctl(master, 0x8004_5430, &number) == 0
    try #require(isUnlocked && isNumbered)
    let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    try #require(slave >= 0)
    return (master, FileHandle(fileDescriptor: slave, closeOnDealloc: true))
  }

  private func echoes(_ terminal: Int32) -> Bool {
    var settings = termios()
    tcgetattr(terminal, &settings)
    return settings.c_lflag & tcflag_t(ECHO) != 0 && settings.c_lflag & tcflag_t(ICANON) != 0
  }

  enum Way: CaseIterable {
    case poweroff, escape, terminate, hangUp, quit
  }

  @Test(arguments: Way.allCases)
  func terminal_isRawMeanwhile_andAsItWasAfterwards(way: Way) throws {
    let (master, slave) = try terminal()
    defer { close(master) }
    let qemu = try FakeQemu(
      "say info: hello; head -c 2 >bytes; cat bytes; echo end; \(Self.end); sleep 1")
    var wasRaw = false
    let run = try qemu.boot(["--interactive"], input: slave) { process in
      for _ in 0..<500 where echoes(master) { usleep(10_000) }
      wasRaw = !echoes(master)
      // The machine has started, and its folder can be looked for.
      for _ in 0..<500 where (try? qemu.isRunning) != true { usleep(10_000) }
      switch way {
      // Ctrl-C and Enter are the guest's.
      case .poweroff: _ = write(master, "\u{3}\r", 2)
      case .escape: _ = write(master, "\u{1d}", 1)
      case .terminate: kill(process.processIdentifier, SIGTERM)
      case .hangUp: kill(process.processIdentifier, SIGHUP)
      case .quit: kill(process.processIdentifier, SIGQUIT)
      }
    }
    #expect(wasRaw)
    #expect(echoes(master))
    switch way {
    case .poweroff: #expect(run.status == 0 && run.text == "\u{3}\rend\n", "\(run.text)")
    default: #expect(run.status == 130)
    }
    #expect(try !qemu.isRunning && !qemu.leavesFolder)
  }
}
