// The report as a document of the schema xenograft.validate/1.

import ABISchema
import Foundation

extension ValidationReport {
  /// The schema's name.
  public static let schema = "xenograft.validate/1"

  /// The document, with a newline at its end.
  func json() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(ReportDocument(self)) else {
      preconditionFailure("numbers and text alone are encoded")
    }
    return Array(data) + [0x0A]
  }
}

/// Absent values are written as `null`: a reader finds every field.
private struct ReportDocument: Encodable {
  var schema = ValidationReport.schema
  var good: Bool
  var summary: SummaryDocument
  var seconds: Double
  var ports: [PortDocument]

  init(_ report: ValidationReport) {
    good = report.isGood && report.exitCode == 0
    summary = SummaryDocument(report.ports.flatMap(\.checks))
    seconds = rounded(report.seconds)
    ports = report.ports.map(PortDocument.init)
  }
}

private struct SummaryDocument: Encodable {
  var passed: Int
  var failed: Int
  var skipped: Int

  init(_ checks: [CheckReport]) {
    passed = checks.count { $0.status == .passed }
    failed = checks.count { $0.status == .failed }
    skipped = checks.count { $0.status == .skipped }
  }
}

private struct PortDocument: Encodable {
  var port: PortReport

  private enum Key: String, CodingKey {
    case file, name, kernel, hypervisor, summary, seconds, checks, artefacts, faults, missing
    case remarks
  }

  init(_ port: PortReport) { self.port = port }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(port.file, forKey: .file)
    try object.encode(port.name, forKey: .name)
    try object.encode(port.kernel, forKey: .kernel)
    try object.encode(port.hypervisor, forKey: .hypervisor)
    try object.encode(SummaryDocument(port.checks), forKey: .summary)
    try object.encode(rounded(port.seconds), forKey: .seconds)
    try object.encode(port.checks.map(CheckDocument.init), forKey: .checks)
    try object.encode(port.artefacts, forKey: .artefacts)
    try object.encode(port.faults.map(\.rendered), forKey: .faults)
    try object.encode(port.missing, forKey: .missing)
    try object.encode(port.remarks, forKey: .remarks)
  }
}

private struct CheckDocument: Encodable {
  var check: CheckReport

  private enum Key: String, CodingKey {
    case name, kind, status, message, details, places, seconds, line
  }

  init(_ check: CheckReport) { self.check = check }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(check.name, forKey: .name)
    try object.encode(check.kind, forKey: .kind)
    try object.encode(check.status.rawValue, forKey: .status)
    try object.encode(check.message, forKey: .message)
    try object.encode(check.details, forKey: .details)
    try object.encode(check.places.map(PlaceDocument.init), forKey: .places)
    try object.encode(rounded(check.seconds), forKey: .seconds)
    try object.encode(check.position.line, forKey: .line)
  }
}

private struct PlaceDocument: Encodable {
  var place: CheckPlace

  private enum Key: String, CodingKey {
    case address, function, file, line
  }

  init(_ place: CheckPlace) { self.place = place }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(place.address.map { "0x" + String($0, radix: 16) }, forKey: .address)
    try object.encode(place.function, forKey: .function)
    try object.encode(place.file, forKey: .file)
    try object.encode(place.line, forKey: .line)
  }
}

/// Milliseconds are fine enough.
private func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
