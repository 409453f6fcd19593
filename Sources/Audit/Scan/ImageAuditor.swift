// The audit of one image: read it, scan it, then say of every hit what becomes of it, where it
// stands and where it came from.

public import Disassembly
public import KernelImage

/// Why an audit could not be made.
public enum AuditError: Error, Sendable {
  /// A file is missing or bad.
  case image(ImageError)
  /// Capstone could not be used.
  case capstone(CapstoneError)
}

/// Audits images with one set of rules.
public struct ImageAuditor: Sendable {
  private let matcher: RuleMatcher
  private let options: AuditOptions

  /// An auditor that works by `matcher`'s rules.
  public init(matcher: RuleMatcher, options: AuditOptions) {
    self.matcher = matcher
    self.options = options
  }

  /// What kernels of an image's width become, unless the user says otherwise.
  public static func defaultTarget(bits: Int) -> Target {
    bits == 64 ? .pv64 : .pv32
  }

  /// Audits the image at `path`.
  public func audit(path: String) throws(AuditError) -> ImageResult {
    let digest = BackgroundTask { () throws(ImageError) in try ImageDigest.sha256(path: path) }
    let clock = ContinuousClock()
    let begin = clock.now
    do {
      let image = try KernelImage.open(path: path, options: options.open)
      let symbols = SymbolIndex(image)
      let context = ImageContext(image: image)
      let scan = try ImageScan(
        image, symbols: symbols, regions: CodeRegion.regions(of: image), matcher: matcher,
        jobs: options.jobs, listsHidden: options.listsHidden)
      let scanned = begin.duration(to: clock.now)
      let target = options.target ?? Self.defaultTarget(bits: image.width.rawValue)
      let assembly = FindingAssembly(
        image: image, symbols: symbols, context: context, target: target)
      var findings = assembly.findings(scan.hits)
      var remarks = image.remarks + context.remarks
      if options.readsSource {
        remarks += try SourceAttribution(options: options, image: image, context: context)
          .attribute(&findings, hits: scan.hits)
      }
      Fingerprint.assign(to: &findings)
      return ImageResult(
        path: path, format: image.format.rawValue, bits: image.width.rawValue,
        buildID: image.buildID, sha256: try digest.value(),
        scanned: totals(
          scan, image: image, symbols: symbols,
          seconds: options.measuresTime ? scanned / .seconds(1) : nil),
        findings: findings, remarks: remarks)
    } catch let error as ImageError {
      digest.finish()
      throw .image(error)
    } catch let error as CapstoneError {
      digest.finish()
      throw .capstone(error)
    } catch {
      digest.finish()
      throw .image(
        ImageError(.unreadable, path: path, expected: "an image", found: "\(error)"))
    }
  }

  private func totals(
    _ scan: ImageScan, image: KernelImage, symbols: SymbolIndex, seconds: Double?
  ) -> ScanTotals {
    var totals = ScanTotals()
    totals.bytes = scan.bytes
    totals.instructions = scan.instructions
    totals.undecodable = scan.undecodable.count
    totals.traps = scan.traps
    totals.seconds = seconds
    totals.undecodableAt = scan.undecodable.prefix(1000).map { run in
      let section = image.sections[run.section]
      let offset = Int(run.address &- section.address)
      let shown = min(run.count, 16)
      return Undecodable(
        section: section.name, address: run.address,
        bytes: Array(section.bytes.buffer[offset..<offset + shown]),
        function: symbols.function(at: ImageAddress(section: run.section, address: run.address))?
          .symbol.name)
    }
    return totals
  }
}
