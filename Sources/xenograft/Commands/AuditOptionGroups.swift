// The options of `xenograft audit`, grouped as its help shows them.

import ArgumentParser
import Audit
import AuditReport
import Foundation
import KernelImage

/// How images are read.
struct ReadingOptions: ParsableArguments {
  @Option(
    help: .value("file", "The image's debugging information, where it is a file of its own."),
    completion: .file())
  var debugFile: String?

  @Option(
    help:
      .value(
        "folder",
        "A folder with split debugging information by build id, searched before /usr/lib/debug. Repeatable."
      ),
    completion: .directory)
  var debugRoot: [String] = []

  @Option(
    name: .customLong("map"), help: .value("file", "A System.map for an image without symbols."),
    completion: .file())
  var systemMap: String?

  @Option(help: .value("number", "Read the file as bare code of this width: 16, 32 or 64."))
  var raw: Int?

  @Option(help: .value("address", "The address of the first byte of bare code, 0x7c00 say."))
  var base: String?

  @Flag(help: "Do not look up functions, lines and inlined frames in DWARF.")
  var noSource = false

  @Flag(help: "List encodings that stand inside other instructions too.")
  var hidden = false

  /// The options for opening an image.
  func openOptions() throws -> OpenOptions {
    var options = OpenOptions(systemMap: systemMap, debugFile: debugFile)
    if let raw {
      guard let width = CodeWidth(rawValue: raw) else {
        throw CommandFailure.input("--raw: expected 16, 32 or 64, found \(raw)")
      }
      options.raw = OpenOptions.Raw(width: width, base: try address())
    } else if base != nil {
      throw CommandFailure.input("--base: expected together with --raw, found alone")
    }
    return options
  }

  private func address() throws -> UInt64 {
    guard let base else { return 0 }
    let lowercase = base.lowercased()
    let value =
      lowercase.hasPrefix("0x") ? UInt64(lowercase.dropFirst(2), radix: 16) : UInt64(lowercase)
    guard let value else {
      throw CommandFailure.input("--base: expected an address such as 0x7c00, found \(base)")
    }
    return value
  }
}

/// How a report looks.
struct PrintingOptions: ParsableArguments {
  enum Color: String, ExpressibleByArgument, CaseIterable {
    case auto
    case always
    case never
  }

  @Flag(help: "Text: the summary alone.")
  var summary = false

  @Flag(help: "Text: every finding with all frames and sites, also what needs no work.")
  var verbose = false

  @Option(help: .value("when", "Text: in colour; auto is on a terminal."))
  var color: Color = .auto

  @Flag(help: "Measure the scan's wall time and print it; two runs then differ.")
  var timing = false

  func renderOptions(toFile: Bool) -> RenderOptions {
    var options = RenderOptions()
    let isTerminal = !toFile && StandardOutput.isTerminal
    options.color =
      switch color {
      case .always: true
      case .never: false
      case .auto: isTerminal && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
      }
    options.width = isTerminal ? StandardOutput.width : 100
    options.summaryOnly = summary
    options.verbose = verbose
    options.toolVersion = Version.current
    return options
  }
}
