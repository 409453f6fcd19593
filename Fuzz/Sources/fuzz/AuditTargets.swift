// Targets for what stands on the image readers: the instruction decoder, the audit of a whole
// image, and the files that users write.

import Disassembly
import KernelImage

@testable import Audit

private let modes: [DecodingMode] = [.bits16, .bits32, .bits64]

/// Decodes the input as code of each width; a length must be possible and inside.
///
/// Instructions are short, so that many small inputs find more than a few large ones.
func decodeCode(_ whole: UnsafeRawBufferPointer) {
  let input = UnsafeRawBufferPointer(rebasing: whole.prefix(1024))
  for mode in modes {
    let decoder = LengthDecoder(mode: mode)
    for offset in 0..<input.count {
      guard let encoding = decoder.decode(input, at: offset) else { continue }
      let length = Int(encoding.length)
      precondition((1...15).contains(length) && length <= input.count - offset)
    }
  }
  guard let matcher else { return }
  let starts = stride(from: 3, to: input.count, by: 29).map { $0 }
  for mode in modes {
    let sweep = Sweep(mode: mode, filter: matcher.filter(mode: mode))
    let result = sweep.run(input, starts: starts, jobs: 1)
    precondition(result.candidates.allSatisfy { $0.offset < input.count })
  }
}

/// Audits the input as an image, in memory.
func auditImage(_ input: UnsafeRawBufferPointer) {
  let options = OpenOptions(unpackLimit: 1 << 20)
  guard let matcher,
    let image = try? KernelImage.read(
      bytes: ImageBytes(copying: input), path: "input", options: options)
  else { return }
  let symbols = SymbolIndex(image)
  let context = ImageContext(image: image)
  let scan = try? ImageScan(
    image, symbols: symbols, regions: CodeRegion.regions(of: image), matcher: matcher, jobs: 1,
    listsHidden: true)
  guard let scan else { return }
  let target = ImageAuditor.defaultTarget(bits: image.width.rawValue)
  var findings = FindingAssembly(image: image, symbols: symbols, context: context, target: target)
    .findings(scan.hits)
  Fingerprint.assign(to: &findings)
}

func readRules(_ input: UnsafeRawBufferPointer) {
  _ = try? RuleBook.load(yaml: String(decoding: input, as: UTF8.self), file: "input.yaml")
}

func readBaseline(_ input: UnsafeRawBufferPointer) {
  _ = try? Baseline(path: "input", bytes: Array(input))
}

func readSuppressions(_ input: UnsafeRawBufferPointer) {
  _ = try? SuppressionFile(path: "input", bytes: Array(input))
}

func readTrace(_ input: UnsafeRawBufferPointer) {
  _ = try? Trace(path: "input", bytes: Array(input))
}

/// The rules that come with the tool.
private let matcher = try? RuleMatcher(RuleBook.builtin.rules)
