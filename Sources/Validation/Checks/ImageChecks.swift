// Checks of the kernel's image, without a boot: its audit, its layouts, and whether loaders take it.

import ABISchema
import ABIVerifier
import Audit
import AuditReport
import Disassembly
import Foundation
import ImageInspection
import KernelImage

/// Judges the image of one port.
struct ImageChecks: Sendable {
  private static let mostListed = 20

  let kernel: String
  let memory: Int
  let jobs: Int

  /// How a check of the image ended.
  func judge(_ check: Check) -> CheckOutcome {
    switch check.body {
    case .noSilent(let target, let suppress):
      audit(AuditCheck(target: target, baseline: nil, failOn: .silent, suppress: suppress))
    case .audit(let check): audit(check)
    case .abi(let ignore): layouts(Set(ignore))
    case .inspect(let bootProtocol): inspect(bootProtocol)
    default: .skipped("the image says nothing of it")
    }
  }

  private func audit(_ check: AuditCheck) -> CheckOutcome {
    do {
      let baseline = try check.baseline.map { try Baseline(path: $0.path) }
      let suppressions = try check.suppress.map { try SuppressionFile(path: $0.path) }
      let matcher = try RuleMatcher(RuleBook.builtin.rules)
      var options = AuditOptions()
      options.jobs = jobs
      options.target = check.target ?? baseline?.target
      let image = try ImageAuditor(matcher: matcher, options: options).audit(path: kernel)
      let target = options.target ?? ImageAuditor.defaultTarget(bits: image.bits)
      var result = AuditResult(target: target, images: [image], rules: [:])
      if let suppressions {
        _ = result.apply(suppressions.suppressions, today: SuppressionFile.today())
      }
      if let baseline {
        guard baseline.target == target else {
          return .failed(
            "expected a baseline for \(target.rawValue), found one for \(baseline.target.rawValue)")
        }
        baseline.compare(&result)
      }
      return verdict(result.images.flatMap(\.findings), check.failOn)
    } catch let error as GateFileError {
      return .skipped(error.message)
    } catch let error as AuditError {
      switch error {
      case .image(let error): return unreadable(error)
      case .capstone(let error):
        return .skipped("Capstone cannot be used: \(error.message) (Debian package: libcapstone4)")
      }
    } catch {
      return .skipped("\(error)")
    }
  }

  private func verdict(_ findings: [Audit.Finding], _ level: GateLevel) -> CheckOutcome {
    let bad = findings.filter(level.fails)
    let kind =
      switch level {
      case .silent: "instruction that gives a wrong result silently"
      case .replace: "instruction that kills the guest"
      case .new: "finding that the baseline does not have"
      case .any, .never: "finding"
      }
    guard let first = bad.first else {
      return .passed("no \(kind), \(counted(findings.count, "finding")) in all")
    }
    return .failed(
      "expected no \(kind), found \(bad.count), the first \(Self.words(first))",
      details: bad.prefix(Self.mostListed).map(Self.words),
      places: bad.prefix(Self.mostListed).map { finding in
        CheckPlace(
          address: finding.address, function: finding.function, file: finding.place?.file,
          line: finding.place?.line)
      })
  }

  private static func words(_ finding: Audit.Finding) -> String {
    var text = "`\(finding.instruction)` at 0x\(String(finding.address, radix: 16))"
    if let function = finding.function { text += " \(function)" }
    if let offset = finding.offset { text += "+0x" + String(offset, radix: 16) }
    if let place = finding.place { text += " (\(place.file):\(place.line))" }
    return text
  }

  private func layouts(_ ignored: Set<String>) -> CheckOutcome {
    guard let abi = ABILoader.embedded().abi else { return .skipped("no ABI in this command") }
    let report: LayoutReport
    do throws(ImageError) {
      report = try LayoutVerifier(abi).verify(path: kernel)
    } catch {
      return .skipped("\(error.path): expected \(error.expected), found \(error.found)")
    }
    let compared = report.structures.filter { $0.verdict != .absent && !ignored.contains($0.name) }
    guard !compared.isEmpty else {
      return .skipped("the kernel's DWARF has no structure of the ABI; compile it with -g")
    }
    let bad = compared.filter { $0.verdict == .mismatch }
    guard let first = bad.first else {
      return .passed("\(counted(compared.count, "structure")) laid out as the ABI's")
    }
    return .failed(
      "expected layouts as the ABI's, found \(bad.count) other; the first: \(Self.words(first)[0])",
      details: bad.flatMap(Self.words),
      places: bad.map {
        CheckPlace(address: nil, function: nil, file: $0.declaredIn, line: nil)
      }.filter { $0.file != nil })
  }

  /// A structure and its fields that differ.
  private static func words(_ structure: StructureReport) -> [String] {
    var name = "\(structure.dwarfName ?? structure.name)"
    if let file = structure.declaredIn { name += " (\(file))" }
    let fields = structure.fields.filter { $0.verdict == .mismatch }.map { field in
      let offset = field.offset.found.map { "\($0)" } ?? "none"
      let size = field.size.found.map { "\($0)" } ?? "none"
      return
        "\(name): \(field.name): expected offset \(field.offset.abi) and size \(field.size.abi), "
        + "found offset \(offset) and size \(size)"
    }
    guard fields.isEmpty else { return fields }
    let size = structure.size.found.map { "\($0)" } ?? "none"
    return ["\(name): expected size \(structure.size.abi), found \(size)"]
  }

  private func inspect(_ bootProtocol: BootProtocol?) -> CheckOutcome {
    guard let abi = ABILoader.embedded().abi else { return .skipped("no ABI in this command") }
    let inspection: Inspection
    do throws(ImageError) {
      inspection = try Inspector(abi).inspect(
        BootFile.open(path: kernel), options: InspectionOptions(memory: UInt64(memory) << 20))
    } catch {
      return unreadable(error)
    }
    let boots = inspection.protocols.filter(\.boots).map(\.bootProtocol)
    if let bootProtocol {
      if boots.contains(bootProtocol) {
        return .passed("loaders take it by \(bootProtocol.rawValue)")
      }
    } else if !boots.isEmpty {
      return .passed("loaders take it by \(boots.map(\.rawValue).joined(separator: ", "))")
    }
    let faults = inspection.findings.filter { finding in
      (finding.severity == .refused || finding.severity == .fails)
        && (bootProtocol == nil || finding.bootProtocol == bootProtocol)
    }.map { "\($0.subject): expected \($0.expected), found \($0.found); \($0.cure)" }
    let wanted = bootProtocol.map { " by \($0.rawValue)" } ?? ""
    return .failed(
      "expected an image that a loader takes\(wanted), found \(faults.first ?? "none of the protocol's marks")",
      details: faults)
  }

  private func unreadable(_ error: ImageError) -> CheckOutcome {
    .failed("expected \(error.expected), found \(error.found)")
  }
}
