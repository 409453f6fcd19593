// Code between two symbols that say by their names what stands there, as the linker scripts and
// assembly files of kernels and hypervisors define them.

import KernelImage

/// Code that a pair of symbols encloses.
enum MarkedCode {
  /// One pair.
  struct Mark {
    var start: String
    var end: String
    /// `nil` is the image's own width.
    var width: CodeWidth?
    var origin: String
  }

  /// The origin of templates that the kernel copies and runs.
  static let template = "optprobe template"

  static let marks: [Mark] = [
    // Linux copies this out of .rodata for each optimized probe.
    Mark(
      start: "optprobe_template_entry", end: "optprobe_template_end", width: nil,
      origin: template),
    // Xen's trampoline, copied below 1 MiB: where other processors and a wake-up begin.
    Mark(
      start: "trampoline_realmode_entry", end: "trampoline_protmode_entry", width: .bits16,
      origin: "boot trampoline"),
    Mark(start: "wakeup_start", end: "wakeup_32", width: .bits16, origin: "wake-up trampoline"),
    Mark(start: "wakeup_32", end: "wakeup_64", width: .bits32, origin: "wake-up trampoline"),
  ]

  static func regions(of image: KernelImage, symbols: MarkerSymbols) -> [CodeRegion] {
    marks.compactMap { mark in
      guard let found = symbols.range(from: mark.start, to: mark.end, in: image) else {
        return nil
      }
      return CodeRegion(
        section: image.sections[found.section], offsets: found.offsets,
        width: mark.width ?? image.width, origin: mark.origin)
    }
  }
}
