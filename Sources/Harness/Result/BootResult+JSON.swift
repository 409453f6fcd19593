// The result as a document of the schema xenograft.boot/1.

import Foundation

extension BootResult {
  /// The document, with a newline at its end.
  public func json() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(BootDocument(result: self)) else {
      preconditionFailure("numbers and text alone are encoded")
    }
    return Array(data) + [0x0A]
  }
}

extension BootResult {
  /// The traps alone, as `xenograft audit --trace` reads them, with a newline at the end.
  public func trace() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(TraceDocument(result: self)) else {
      preconditionFailure("numbers and text alone are encoded")
    }
    return Array(data) + [0x0A]
  }
}

private struct TraceDocument: Encodable {
  var result: BootResult

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode("xenograft.trace/1", forKey: .schema)
    try object.encode(result.hasRecords, forKey: .complete)
    try object.encode(result.traps.map(TrapDocument.init), forKey: .traps)
    try object.encodeIfPresent(result.watched?.map(WatchDocument.init), forKey: .watched)
  }
}

private struct WatchDocument: Encodable {
  var record: WatchRecord

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(record.place)
    try object.encode(record.isRun, forKey: .ran)
  }
}

private enum Key: String, CodingKey {
  case schema
  case verdict
  case seconds
  case expected
  case domains
  case id
  case kernel
  case crash
  case traps
  case hypercalls
  case grants
  case domain
  case granted
  case used
  case mapped
  case first
  case vcpus
  case vcpu
  case state
  case hypervisor
  case domain0
  case guestFirstOutput
  case total
  case reason
  case rip
  case rule
  case count
  case watched
  case slips
  case complete
  case ran
  case errors
  case name
  case function
  case offset
  case file
  case line
  case registers
  case backtrace
}

/// Absent values are written as `null`: a reader finds every field.
private struct BootDocument: Encodable {
  var result: BootResult

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode("xenograft.boot/1", forKey: .schema)
    try object.encode(result.verdict, forKey: .verdict)
    try object.encode(TimesDocument(times: result.times), forKey: .seconds)
    try object.encode(result.expectations, forKey: .expected)
    try object.encode(result.domains.map(DomainDocument.init), forKey: .domains)
    try object.encode(result.crash.map(CrashDocument.init), forKey: .crash)
    try object.encode(result.traps.map(TrapDocument.init), forKey: .traps)
    try object.encode(result.hypercalls.map(HypercallDocument.init), forKey: .hypercalls)
    try object.encode(result.grants.map(GrantDocument.init), forKey: .grants)
    try object.encode(result.vcpus.map(VCPUDocument.init), forKey: .vcpus)
    try object.encodeIfPresent(result.slips?.map(TrapDocument.init), forKey: .slips)
  }
}

private struct VCPUDocument: Encodable {
  var found: VCPUPlace

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(found.domain, forKey: .domain)
    try object.encode(found.vcpu, forKey: .vcpu)
    try object.encode(found.state, forKey: .state)
    try object.encode(found.place)
    try object.encode(found.backtrace.map(PlaceDocument.init), forKey: .backtrace)
  }
}

private struct GrantDocument: Encodable {
  var grants: GrantRecord

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(grants.domain, forKey: .domain)
    try object.encode(grants.granted, forKey: .granted)
    try object.encode(grants.used, forKey: .used)
    try object.encode(grants.mapped, forKey: .mapped)
    try object.encode(grants.first, forKey: .first)
  }
}

private struct DomainDocument: Encodable {
  var domain: DomainResult

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(domain.id, forKey: .id)
    try object.encode(domain.kernel, forKey: .kernel)
    try object.encode(domain.verdict, forKey: .verdict)
    try object.encode(domain.reason, forKey: .reason)
  }
}

private struct TimesDocument: Encodable {
  var times: BootTimes

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(times.hypervisor.map(rounded), forKey: .hypervisor)
    try object.encode(times.domain0.map(rounded), forKey: .domain0)
    try object.encode(times.guestFirstOutput.map(rounded), forKey: .guestFirstOutput)
    try object.encode(rounded(times.total), forKey: .total)
  }

  private func rounded(_ seconds: Double) -> Double {
    (seconds * 1000).rounded() / 1000
  }
}

extension KeyedEncodingContainer<Key> {
  fileprivate mutating func encode(_ place: CodePlace?) throws {
    try encode(place.map { Hex.text($0.address) }, forKey: .rip)
    try encode(place?.function, forKey: .function)
    try encode(place?.offset, forKey: .offset)
    try encode(place?.file, forKey: .file)
    try encode(place?.line, forKey: .line)
  }
}

private struct PlaceDocument: Encodable {
  var place: CodePlace

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(place)
  }
}

private struct CrashDocument: Encodable {
  var crash: CrashReport

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(crash.reason, forKey: .reason)
    try object.encode(crash.place)
    let registers = crash.registers.map { ($0.name, Hex.text($0.value)) }
    try object.encode(
      Dictionary(registers, uniquingKeysWith: { first, _ in first }), forKey: .registers)
    try object.encode(crash.backtrace.map(PlaceDocument.init), forKey: .backtrace)
  }
}

private struct TrapDocument: Encodable {
  var trap: TrapRecord

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(trap.place)
    try object.encode(trap.rule, forKey: .rule)
    try object.encode(trap.count, forKey: .count)
  }
}

private struct HypercallDocument: Encodable {
  var hypercall: HypercallRecord

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(hypercall.name, forKey: .name)
    try object.encode(hypercall.count, forKey: .count)
    try object.encode(hypercall.errors, forKey: .errors)
  }
}
