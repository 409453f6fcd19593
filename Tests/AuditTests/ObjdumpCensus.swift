// What objdump's linear sweep finds in a stretch of code: the rival that the scan is held to. Its own
// list of mnemonics, so that a rule that is missing from rules/ shows.

import Foundation
import KernelImage

/// An instruction that assumes ring 0, as objdump prints it.
struct ObjdumpLine {
  var text: String
  /// The rule that must take it.
  var rule: String
}

enum ObjdumpCensus {
  static let isAvailable = FileManager.default.isExecutableFile(atPath: "/usr/bin/objdump")

  /// Every such instruction of `code`, by address; `int3` and `ud*` are left out, as padding and traps.
  static func run(_ code: Data, address: UInt64, width: CodeWidth) throws -> [UInt64: ObjdumpLine] {
    let folder = FileManager.default.temporaryDirectory
    let file = folder.appending(path: "xenograft-\(UUID().uuidString)")
    try code.write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let machine = ["i8086", "i386", "i386:x86-64"][[16: 0, 32: 1, 64: 2][width.rawValue] ?? 2]
    // grep keeps a kernel's listing, 300 MB of text, out of this process.
    let script = """
      LC_ALL=C objdump -D -w -b binary -m \(machine) --adjust-vma=\(address) '\(file.path)' \
      | LC_ALL=C grep -vE '\t(int3 *$|nop|jmp|call|lea|test|cmp|add|sub|xor)' \
      | LC_ALL=C grep -E '\(interesting)'
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    var found: [UInt64: ObjdumpLine] = [:]
    for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: "\t")
      guard fields.count >= 3,
        let address = UInt64(fields[0].drop { $0 == " " }.dropLast(), radix: 16)
      else { continue }
      let text = fields[2].trimmingCharacters(in: .whitespaces)
      if let rule = rule(of: text) { found[address] = ObjdumpLine(text: text, rule: rule) }
    }
    return found
  }

  /// A first, generous choice of lines for grep.
  private static let interesting =
    "%(cr|db|dr|tr)[0-9]|%[c-gs]s|"
    + "[\t ](\(Set(mnemonics.keys).union(stems).union(["int"]).sorted().joined(separator: "|")))[bwlq]?([ ,]|$)"
}

// MARK: Names

extension ObjdumpCensus {
  private static let prefixes: Set<String> = [
    "rep", "repz", "repnz", "lock", "data16", "addr32", "cs", "ds", "es", "ss", "fs", "gs", "bnd",
    "notrack",
  ]

  /// Mnemonics that are rules by the same name, with AT&T's size letters or without.
  private static let stems: Set<String> = [
    "clts", "lmsw", "smsw", "xgetbv", "xsetbv", "lgdt", "lidt", "lldt", "ltr", "sgdt", "sidt",
    "sldt", "str", "lar", "lsl", "verr", "verw", "arpl", "cli", "sti", "pushf", "popf", "hlt",
    "monitor", "mwait", "monitorx", "mwaitx", "umonitor", "umwait", "tpause", "clac", "stac", "in",
    "out", "ins", "outs", "invd", "wbinvd", "wbnoinvd", "invlpg", "invpcid", "invlpgb", "tlbsync",
    "xsaves", "xrstors", "rdpkru", "wrpkru", "serialize", "enqcmds", "loadiwkey", "bound", "rdmsr",
    "wrmsr", "wrmsrns", "rdtsc", "rdtscp", "rdpmc", "rdpru", "cpuid", "hreset", "lss", "swapgs",
    "lkgs", "setssbsy", "clrssbsy", "rstorssp", "saveprevssp", "senduipi", "uiret", "clui", "stui",
    "testui", "syscall", "sysenter", "sysret", "sysexit", "iret", "int1", "into", "rsm", "getsec",
    "vmcall", "vmlaunch", "vmresume", "vmxoff", "vmxon", "vmclear", "vmptrld", "vmptrst", "vmread",
    "vmwrite", "invept", "invvpid", "vmfunc", "vmrun", "vmmcall", "vmgexit", "vmload", "vmsave",
    "stgi", "clgi", "skinit", "invlpga", "psmash", "pvalidate", "rmpadjust", "rmpupdate", "tdcall",
    "seamret", "seamops", "seamcall", "encls", "enclv", "pconfig",
  ]

  /// Mnemonics that go by another name here.
  private static let mnemonics: [String: String] = [
    "insb": "ins", "insw": "ins", "insl": "ins", "outsb": "outs", "outsw": "outs", "outsl": "outs",
    "ljmp": "far-jump", "lcall": "far-call", "lret": "far-return", "lfs": "load-far-pointer",
    "lgs": "load-far-pointer", "lds": "load-far-pointer", "les": "load-far-pointer",
    "rdfsbase": "rdfsgsbase", "rdgsbase": "rdfsgsbase", "wrfsbase": "wrfsgsbase",
    "wrgsbase": "wrfsgsbase", "xsaves64": "xsaves", "xrstors64": "xrstors", "wrssd": "wrss",
    "wrssq": "wrss", "wrussd": "wruss", "wrussq": "wruss", "rdsspd": "rdssp", "rdsspq": "rdssp",
    "incsspd": "incssp", "incsspq": "incssp", "icebp": "int1",
  ]

  /// The rule for a line of objdump's; `nil` where it is none of our concern.
  static func rule(of text: String) -> String? {
    var words = text.split(separator: " ").map(String.init)
    while let first = words.first, prefixes.contains(first) || first.hasPrefix("rex") {
      words.removeFirst()
    }
    guard let mnemonic = words.first else { return nil }
    let operands = words.dropFirst().prefix { !$0.hasPrefix("#") && !$0.hasPrefix("<") }.joined()
    if mnemonic == "int" { return interrupt(operands) }
    if let rule = mnemonics[mnemonic] { return rule }
    if stems.contains(mnemonic) { return mnemonic }
    let stem = String(mnemonic.dropLast())
    if "bwlq".contains(mnemonic.last ?? " ") {
      if let rule = mnemonics[stem] { return rule }
      if stems.contains(stem) { return stem }
    }
    if mnemonic.hasPrefix("mov") { return move(operands) }
    if mnemonic.hasPrefix("push") || mnemonic.hasPrefix("pop") {
      let verb = mnemonic.hasPrefix("push") ? "push" : "pop"
      switch operands {
      case "%cs", "%ss": return verb == "push" ? "push-cs-ss" : "pop-ss"
      case "%ds", "%es", "%fs", "%gs": return "\(verb)-data-segment"
      default: return nil
      }
    }
    return nil
  }

  private static func interrupt(_ operand: String) -> String {
    operand == "$0x80" || operand == "$0x82" ? "int-\(operand.dropFirst())" : "int-n"
  }

  /// `mov` to or from a control, debug, test or segment register; the last operand is the target.
  private static func move(_ operands: String) -> String? {
    let parts = operands.split(separator: ",").map(String.init)
    guard let source = parts.first, let target = parts.last, parts.count >= 2 else { return nil }
    for (name, direction) in [(source, "from"), (target, "to")] {
      if name.hasPrefix("%cr"), let number = Int(name.dropFirst(3)) {
        return [0, 2, 3, 4, 8].contains(number) ? "mov-\(direction)-cr\(number)" : "mov-reserved-cr"
      }
      if name.hasPrefix("%db") || name.hasPrefix("%dr") { return "mov-\(direction)-dr" }
      if name.hasPrefix("%tr") { return "mov-\(direction)-tr" }
      switch (name, direction) {
      case ("%cs", "from"), ("%ss", "from"): return "mov-from-cs-ss"
      case ("%ss", "to"): return "mov-to-ss"
      case ("%ds", _), ("%es", _), ("%fs", _), ("%gs", _): return "mov-\(direction)-data-segment"
      default: break
      }
    }
    return nil
  }
}
