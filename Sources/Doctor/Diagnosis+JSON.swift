// A diagnosis as a document of the schema xenograft.doctor/1.

import Foundation
import Harness

extension Diagnosis {
  /// The document, with a newline at its end.
  public var json: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(DiagnosisDocument(self)) else {
      preconditionFailure("numbers and text alone are encoded")
    }
    return Array(data) + [0x0A]
  }
}

private struct DiagnosisDocument: Encodable {
  var schema = "xenograft.doctor/1"
  var version: String
  var system: String
  var processors: Int
  var ready: Bool
  var commands: [Command]
  var things: [Thing]
  var install: [String]
  var kvm: Acceleration
  var memory: Memory?
  var disks: [Disk]

  struct Command: Encodable {
    var name: String
    var main: Bool
    var ready: Bool
    var lacks: [String]
    var notes: [String]
  }

  struct Thing: Encodable {
    var name: String
    var status: String
    var path: String?
    var version: String?
    var note: String?
    var packages: [String]
    var cure: String?
  }

  struct Acceleration: Encodable {
    var usable: Bool
    var why: String
  }

  struct Memory: Encodable {
    var total: UInt64
    var available: UInt64
  }

  struct Disk: Encodable {
    var path: String
    var free: UInt64
  }

  init(_ diagnosis: Diagnosis) {
    version = diagnosis.version
    system = diagnosis.system
    processors = diagnosis.processors
    ready = diagnosis.impossible.isEmpty
    commands = diagnosis.outcomes.map { outcome in
      Command(
        name: outcome.activity.name, main: outcome.activity.isMain,
        ready: outcome.lacking.isEmpty, lacks: outcome.lacking.map(\.name), notes: outcome.notes)
    }
    things = diagnosis.things.map { thing in
      var cure: String?
      if thing.state.isLacking, case .other(let text) = thing.need.cure { cure = text }
      return Thing(
        name: thing.need.name, status: thing.state.rawValue, path: thing.path,
        version: thing.version?.description, note: thing.note, packages: thing.packages,
        cure: cure)
    }
    install = diagnosis.packagesToInstall
    kvm = Acceleration(
      usable: diagnosis.acceleration == .usable, why: diagnosis.acceleration.explanation)
    memory = diagnosis.memory.map { Memory(total: $0.total, available: $0.available) }
    disks = diagnosis.disks.map { Disk(path: $0.path, free: $0.free) }
  }
}
