// Wrong uses of every command: exit code 2, one message on standard
// error that says what was expected and what was found, nothing on standard output, nothing written.

import Foundation
import Testing

/// A command line, and words that its message must have.
struct WrongUse: CustomTestStringConvertible {
  let line: String
  let words: [String]

  init(_ line: String, _ words: String...) {
    self.line = line
    self.words = words
  }

  var testDescription: String { line }

  /// Files that the lines name: `elf` is a kernel, `text` no image, `cut` the first bytes of one,
  /// `map.yaml` and the like are files of another kind, `folder` a folder.
  static let all: [WrongUse] =
    commands + audit + abi + images + boot + saved + generate + effort
    + validate

  private static let commands: [WrongUse] = [
    .init("frobnicate", "a subcommand", "frobnicate"),
    .init("--frobnicate", "an option", "--frobnicate"),
    .init("adit elf", "a subcommand", "adit"),
    .init("help frobnicate", "frobnicate"),
    .init("rules show", "<rule>", "nothing"),
    .init("rules show pupf", "a rule's identifier", "pupf"),
    .init("rules frobnicate", "frobnicate"),
    .init("rules generate", "a checkout"),
    .init("rules check", "a checkout"),
    .init("doctor --format yaml", "text or json", "yaml"),
    .init("doctor now", "no further argument", "now"),
    .init("manual", "--output"),
  ]

  private static let saved: [WrongUse] = [
    .init("save elf", "--output"),
    .init("save --output s", "<kernel>", "nothing"),
    .init("save --output folder elf", "a file that can be written"),
    .init("save --output s --when ( elf", "a regular expression", "("),
    .init("save --output s --after -1 elf", "--after"),
    .init("save --output s --hypervisor xen elf", "rootstock", "xl save"),
    .init("save --output s --domains 2 elf", "1 guest", "2"),
    .init("restore", "<file>", "nothing"),
    .init("restore nowhere", "a saved domain", "none"),
    .init("restore elf", "a saved domain", "none"),
    .init("restore --hypervisor xen elf", "rootstock", "xl restore"),
    .init("restore --domains 2 elf", "1 guest", "2"),
  ]

  /// What is wrong in a PORT.yaml is told by file, line and column: ValidationTests.
  private static let validate: [WrongUse] = [
    .init("validate", "<PORT.yaml>", "nothing"),
    .init("validate --format pdf text", "junit", "pdf"),
    .init("validate --jobs 0 text", "1 to 64", "0"),
    .init("validate --jobs many text", "a whole number", "many"),
  ]

  private static let audit: [WrongUse] = [
    .init("audit", "<images>", "nothing"),
    .init("audit none", "none: expected", "no such file"),
    .init("audit text", "text: expected", "found"),
    .init("audit empty", "empty: expected", "found"),
    .init("audit cut", "cut: expected", "found"),
    .init("audit folder", "folder: expected", "found"),
    .init("audit --format pdf elf", "json", "pdf"),
    .init("audit --format", "--format", "none"),
    .init("audit --target pv128 elf", "pv64", "pv128"),
    .init("audit --fail-on sometimes elf", "never", "sometimes"),
    .init("audit --fail-on new elf", "--baseline FILE", "none"),
    .init("audit --baseline none elf", "none", "No such file"),
    .init("audit --baseline text elf", "text"),
    .init("audit --baseline trace.json elf", "xenograft.audit-baseline/1", "xenograft.trace/1"),
    .init("audit --trace none elf", "none", "No such file"),
    .init("audit --trace baseline.json elf", "xenograft.trace/1", "xenograft.audit-baseline/1"),
    .init("audit --suppress text elf", "text"),
    .init("audit --raw 48 text", "16, 32 or 64", "48"),
    .init("audit --raw wide text", "a whole number", "wide"),
    .init("audit --raw 64 --base here text", "an address", "here"),
    .init("audit --base 0 elf", "--raw", "alone"),
    .init("audit --jobs 0 elf", "1 to 256", "0"),
    .init("audit --jobs many elf", "a whole number", "many"),
    .init("audit --map none elf", "none"),
    .init("audit --debug-file none elf", "none"),
    .init("audit --debug-file elf elf elf", "one image", "2"),
    .init("audit --output folder/none/report elf", "a file that can be written"),
    .init("audit --output folder elf", "a file that can be written"),
    .init("audit --write-baseline none/base elf", "a file that can be written"),
    .init("audit --color sometimes elf", "auto", "sometimes"),
    .init("audit --no-such-option elf", "an option", "--no-such-option"),
  ]

  private static let abi: [WrongUse] = [
    .init("abi frobnicate", "frobnicate"),
    .init("abi list verbs", "hypercall", "verbs"),
    .init("abi show", "<name>", "nothing"),
    .init("abi show grant_table_ops", "the name of an entry", "grant_table_op"),
    .init("abi show nothing_like_this", "the name of an entry", "nothing_like_this"),
    .init("abi find", "<words>", "nothing"),
    .init("abi list --data none", "none: expected", "a folder of .yaml files"),
    .init("abi list --data text", "text: expected"),
    .init("abi list --data folder", "folder: expected", "no such file in it"),
    .init("abi generate --language cobol --output new", "rust", "cobol"),
    .init("abi generate --language c", "--output", "nothing"),
    .init("abi generate --language c --arch arm --output new", "x86_64", "arm"),
    .init("abi generate --language c --output text/new", "a place that can be written"),
    .init("abi verify", "<elf>", "nothing"),
    .init("abi verify none", "an ELF file", "No such file"),
    .init("abi verify text", "text: expected"),
    .init("abi verify --format xml elf", "text or json", "xml"),
    .init("abi check", "a checkout"),
    .init("abi check --root none", "none"),
  ]

  private static let images: [WrongUse] = [
    .init("inspect", "<image>", "nothing"),
    .init("inspect none", "none: expected", "no such file"),
    .init("inspect text", "text: expected"),
    .init("inspect --memory 0 elf", "1 to", "0"),
    .init("inspect --memory much elf", "a whole number of MiB", "much"),
    .init("inspect --memory -5 elf", "--memory"),
    .init("inspect --initrd none elf", "none", "regular file"),
    .init("inspect --initrd folder elf", "folder", "regular file"),
    .init("inspect --format xml elf", "text or json", "xml"),
    .init("unpack elf", "--output", "nothing"),
    .init("unpack none --output new", "none: expected"),
    .init("unpack elf --output new", "a Linux bzImage"),
    .init("unpack empty --output new", "empty: expected"),
  ]

  private static let boot: [WrongUse] = [
    .init("boot", "<kernel>", "nothing"),
    .init("boot --rootstock elf none", "none", "the guest's kernel"),
    .init("boot --rootstock none elf", "none", "the hypervisor's image"),
    .init("boot --rootstock elf text", "text: expected"),
    .init("boot --rootstock elf --initrd none elf", "none", "ramdisk"),
    .init("boot --memory 1 elf", "4 to", "1"),
    .init("boot --memory lots elf", "a whole number of MiB", "lots"),
    .init("boot --vcpus 0 elf", "1 to 128", "0"),
    .init("boot --cpus 65 elf", "1 to 64", "65"),
    .init("boot --weight 0 elf", "1 to 65535", "0"),
    .init("boot --domains 513 elf", "1 to 512", "513"),
    .init("boot --timeout soon elf", "a number of seconds", "soon"),
    .init("boot --timeout 0 elf", "a positive number", "0"),
    .init("boot --expect ( elf", "a regular expression", "("),
    .init("boot --until-expect elf", "--expect", "none"),
    .init("boot --hypervisor kvm elf", "rootstock or xen", "kvm"),
    .init("boot --policy lax elf", "permissive or strict", "lax"),
    .init("boot --accel fast elf", "auto", "fast"),
    .init("boot --gdb 0 elf", "1 to 65535", "0"),
    .init("boot --gdb here elf", "a port", "here"),
    .init("boot --net bridge elf", "user[,forward=HOST:GUEST]|none", "bridge"),
    .init("boot --net user,forward=80 elf", "forward=HOST:GUEST", "forward=80"),
    .init("boot --fault block:frobnicate elf", "--list-faults", "block:frobnicate"),
    .init("boot --beside elf,memory=1 elf", "memory from 4", "1"),
    .init("boot --beside elf,count=none elf", "kernel[,option…]", "count=none"),
    .init("boot --beside elf,net elf", "--net user", "none"),
    .init("boot --beside elf,restart=1 elf", "--disk or --net user", "neither"),
    .init("boot --beside elf,restart=1001 elf", "restart from 0", "1001"),
    .init("boot --hypervisor xen --trace new elf", "rootstock", "xen"),
    .init("boot --hypervisor xen --fault block:wrong-id elf", "rootstock", "xen"),
    .init("boot --hypervisor xen --domains 2 elf", "rootstock", "xen"),
    .init("boot --hypervisor xen --interactive --net user elf", "rootstock", "xen"),
    .init("boot --hypervisor xen --xen none elf", "none", "the hypervisor's image"),
    .init("boot --rootstock elf --control-domain none --disk text elf", "none"),
    .init("boot --rootstock elf --log none/log elf", "a file that can be written"),
    .init("boot --format xml elf", "text or json", "xml"),
    .init("boot elf elf", "no further argument", "elf"),
  ]

  private static let generate: [WrongUse] = [
    .init("generate", "kernel", "nothing"),
    .init("generate floppy --output new", "kernel", "floppy"),
    .init("generate kernel", "--output", "none"),
    .init("generate kernel --output", "--output", "none"),
    .init("generate kernel --language cobol --output new", "rust", "cobol"),
    .init("generate kernel --arch arm --output new", "x86_64", "arm"),
    .init("generate kernel --os linux-like --output new", "a driver", "kernel"),
    .init("generate block --os plan9 --output new", "xv6-like", "plan9"),
    .init("generate block --template webserver --output new", "kernel", "block"),
    .init("generate kernel --template desktop --output new", "minimal", "desktop"),
    .init("generate kernel --output folder", "an empty one", "--force"),
    .init("generate kernel --output text", "text"),
    .init("generate kernel --output text/new", "text"),
    .init("generate kernel --name a/b --output new", "a/b"),
    .init("generate block --language rust --os bsd-like --output new", "bare", "bsd-like"),
  ]

  private static let effort: [WrongUse] = [
    .init("effort", "--base"),
    .init("effort --base folder", "--port", "nothing"),
    .init("effort --base none --port folder", "none"),
    .init("effort --base folder --port none", "none"),
    .init("effort --base text --port folder", "text"),
    .init("effort --base folder --port folder --map none", "a map", "none"),
    .init("effort --base folder --port folder --map bad.yaml", "bad.yaml:"),
    .init("effort --base folder --port folder --count words", "raw", "words"),
    .init("effort --base folder --port folder --whitespace some", "ignore or strict", "some"),
    .init("effort --base folder --port folder --format pdf", "markdown", "pdf"),
    .init("effort --base folder --port folder --jobs 0", "1 to 256", "0"),
    .init("effort --base folder --port folder --svg new", "--history", "alone"),
    .init("effort --base folder --port folder --history --format json", "csv", "json"),
    .init("effort --base folder --port folder --output none/new", "a file that can be written"),
    .init("effort --base folder --port folder --repo none", "none"),
  ]
}

struct WrongUseTests {
  private static func folder() throws -> Scratch {
    let scratch = try Scratch()
    let kernel = try Data(contentsOf: URL(filePath: #require(sampleKernel)))
    let baseline = #"{"schema": "xenograft.audit-baseline/1", "target": "pv64", "findings": []}"#
    let trace = #"{"schema": "xenograft.trace/1", "traps": []}"#
    for (name, bytes) in [
      ("elf", Array(kernel)), ("cut", Array(kernel.prefix(100))), ("empty", []),
      ("text", Array("no image\n".utf8)), ("bad.yaml", Array("paths: 3\n".utf8)),
      ("baseline.json", Array(baseline.utf8)), ("trace.json", Array(trace.utf8)),
    ] { _ = try scratch.file(name, bytes) }
    try FileManager.default.createDirectory(
      at: scratch.url.appending(path: "folder"), withIntermediateDirectories: false)
    _ = try scratch.file("folder/file.c", Array("int main;\n".utf8))
    return scratch
  }

  /// Names, sizes and times of all files.
  private static func listing(_ scratch: Scratch) throws -> [String: [String]] {
    var files: [String: [String]] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: scratch.url.path) {
      let facts = try FileManager.default.attributesOfItem(
        atPath: scratch.url.appending(path: path).path)
      files[path] = ["\(facts[.size] ?? 0)", "\(facts[.modificationDate] ?? 0)"]
    }
    return files
  }

  @Test func allCommands_haveWrongUses() {
    #expect(WrongUse.all.count >= 50)
    #expect(Set(WrongUse.all.map(\.line)).count == WrongUse.all.count)
  }

  @Test(arguments: WrongUse.all)
  func wrongUse_endsWith2_andOneMessage_andWritesNothing(use: WrongUse) throws {
    let scratch = try Self.folder()
    let before = try Self.listing(scratch)
    let run = try Command.run(use.line.split(separator: " ").map(String.init), in: scratch.url)
    #expect(run.status == 2, "\(run.errors)")
    #expect(run.output.isEmpty, "standard output: \(run.text)")
    let lines = run.errors.split(separator: "\n")
    let messages = lines.filter { $0.hasPrefix("xenograft: ") }
    #expect(messages.count == 1 && lines.first?.hasPrefix("xenograft: ") == true, "\(run.errors)")
    let message = messages.first ?? ""
    #expect(message.contains("expected") && message.contains("found"), "\(run.errors)")
    for word in use.words { #expect(message.contains(word), "no `\(word)`: \(run.errors)") }
    #expect(lines.count <= 3, "\(run.errors)")
    #expect(try Self.listing(scratch) == before, "something was written")
  }
}
