// Xen's own verdict: the image as domain 0 of a stock hypervisor under QEMU.

import Foundation

/// What happened to an image.
struct XenVerdict: Equatable {
  enum Outcome: String {
    /// The guest printed its line.
    case runs
    /// The guest was entered and then died, or the hypervisor did on its behalf.
    case dies
    /// The guest was entered; nothing came of it in time.
    case silent
    case refused
  }
  var outcome: Outcome
  /// Xen's words: why it refused, or how the guest died.
  var message: String
  /// Kernel, list, start info, tables, stack, whole and entry, as Xen prints them.
  var layout: String
}

/// Runs images, one at a time.
struct XenRun {
  var hypervisor: String
  var seconds: Double = 60

  /// Boots the image as domain 0, until it has run or Xen has given up.
  func verdict(on image: String, arguments: String, memory: UInt64, expecting line: String?) throws
    -> XenVerdict
  {
    let log = image + ".log"
    try Data().write(to: URL(filePath: log))
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot", "-M", "pc,accel=tcg",
      "-cpu", "qemu64", "-m", "512", "-serial", "file:\(log)", "-kernel", hypervisor, "-append",
      "console=com1 com1=115200,8n1 dom0_mem=\(memory)M loglvl=all guest_loglvl=all noreboot",
      "-initrd", arguments.isEmpty ? image : "\(image) \(arguments)",
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    // QEMU may sit in a halted guest and never see a polite signal.
    defer {
      kill(process.processIdentifier, SIGKILL)
      for _ in 0..<100 where process.isRunning { Thread.sleep(forTimeInterval: 0.02) }
    }
    let end = Date().addingTimeInterval(seconds)
    while true {
      let text = String(decoding: try Data(contentsOf: URL(filePath: log)), as: UTF8.self)
      if let verdict = Self.verdict(in: text, expecting: line) { return verdict }
      guard Date() < end, process.isRunning else {
        // No answer in time is never a refusal.
        return XenVerdict(
          outcome: .silent, message: Self.lastLine(text), layout: Self.layout(text))
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  /// Xen prints it just before it enters domain 0.
  private static let entered = "*** Serial input to DOM0"

  private static func verdict(in text: String, expecting line: String?) -> XenVerdict? {
    let isEntered = text.contains(entered)
    if let line, text.contains(line) {
      return XenVerdict(outcome: .runs, message: "", layout: layout(text))
    }
    let lines = text.split(whereSeparator: \.isNewline).map { stripped($0) }
    // A panic ends with this line, and so does the death of domain 0.
    guard
      text.contains("Manual reset required") || text.contains("halting machine")
        || text.contains("Reboot in five seconds") || text.contains("not rebooting")
    else { return nil }
    let reasons = lines.filter { line in
      line.hasPrefix("ERROR: ") || telling.contains { line.contains($0) }
    }
    let panic = lines.firstIndex { $0.hasPrefix("Panic on CPU") }.flatMap { index in
      lines.dropFirst(index + 1).first
    }
    return XenVerdict(
      outcome: isEntered || text.contains("Xen call trace") ? .dies : .refused,
      message: reasons.first ?? panic ?? lastLine(text),
      layout: layout(text))
  }

  private static let telling = [
    "ELF: not", "ELF: phdr overflow", "ELF: shdr overflow", "Mismatch between", "does not support",
    "too small for", "overlaps", "Invalid HYPERCALL_PAGE", "CONFIG_PV32", "Failed to load the",
    "requires supervisor", "Domain 0 crashed", "FATAL", "crashed on cpu", "Hardware Dom0 crashed",
  ]

  private static func stripped(_ line: Substring) -> String {
    var text = line
    if text.hasPrefix("(XEN) ") { text = text.dropFirst(6) }
    while text.first == " " { text = text.dropFirst() }
    if text.first == "[", let end = text.firstIndex(of: "]") {
      text = text[text.index(after: end)...]
    }
    return text.trimmingCharacters(in: .whitespaces)
  }

  private static func lastLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).last.map { stripped($0) } ?? ""
  }

  /// `name start end` for each part that Xen prints, behind each other.
  private static func layout(_ text: String) -> String {
    let names = [
      "Loaded kernel": "kernel", "Init. ramdisk": "ramdisk", "Phys-Mach map": "p2m",
      "Start info": "start_info", "Page tables": "page tables", "Boot stack": "stack",
      "TOTAL": "total", "ENTRY ADDRESS": "entry",
    ]
    var isInside = false
    var parts: [String] = []
    for line in text.split(whereSeparator: \.isNewline).map({ stripped($0) }) {
      if line.contains("VIRTUAL MEMORY ARRANGEMENT") { isInside = true }
      guard isInside, let colon = line.firstIndex(of: ":") else { continue }
      guard let name = names[String(line[..<colon])] else { continue }
      let range = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      let ends = range.components(separatedBy: "->").map { String($0.drop { $0 == "0" }) }
      parts.append("\(name)=\(ends.map { $0.isEmpty ? "0" : $0 }.joined(separator: "-"))")
    }
    return parts.joined(separator: ",")
  }
}
