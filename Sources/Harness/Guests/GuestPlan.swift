// Which domains run, and from which files: a request laid out as the hypervisor gets it.

import Foundation

/// A file that the boot loader hands to the hypervisor.
struct ModuleFile: Equatable, Sendable {
  var path: String
  /// What it is, for a message that it cannot be read.
  var role: String
}

/// A kind of domain, of which there may be several.
struct DomainKind: Equatable, Sendable {
  /// The number of the kernel's module.
  var kernel: Int
  /// The number of the ramdisk's module.
  var ramdisk: Int?
  /// In MiB, of each.
  var memory: Int
  var vcpus: Int
  var weight: Int?
  var count: Int
}

/// The domains of a run: 0 is the guest, then come its copies, then the guests beside it.
struct GuestPlan: Equatable, Sendable {
  /// As many as Rootstock takes.
  static let mostModules = 13

  private(set) var modules: [ModuleFile] = []
  private(set) var kinds: [DomainKind] = []
  /// Domains 0 up to this are the guest and its copies.
  let copies: Int
  /// The run is over when every domain has ended, and not with domain 0.
  let waitsForAll: Bool

  /// - Throws: ``HarnessError/input(path:expected:found:)`` where there are more files than the
  ///   hypervisor takes.
  init(_ request: BootRequest) throws(HarnessError) {
    copies = request.copies
    waitsForAll = request.copies > 1 || request.waitsForAll
    let kernel = module(request.kernel, "the guest's kernel")
    let ramdisk = request.initrd.map { module($0, "the guest's ramdisk") }
    var kind = DomainKind(
      kernel: kernel, ramdisk: ramdisk, memory: request.memory, vcpus: request.vcpus,
      weight: request.weight, count: 1)
    // Copies have no privilege: another kind.
    kinds.append(kind)
    if copies > 1 {
      kind.count = copies - 1
      kinds.append(kind)
    }
    for guest in request.beside {
      let kernel = module(guest.kernel, "the kernel of a guest beside")
      let ramdisk = guest.initrd.map { module($0, "the ramdisk of a guest beside") }
      kinds.append(
        DomainKind(
          kernel: kernel, ramdisk: ramdisk, memory: guest.memory, vcpus: guest.vcpus,
          weight: guest.weight, count: guest.count))
    }
    guard modules.count <= Self.mostModules else {
      throw .input(
        path: "--beside", expected: "at most \(Self.mostModules) different files in all",
        found: "\(modules.count)")
    }
  }

  /// The kernel of each domain, by the domain's number.
  var kernels: [String] {
    kinds.flatMap { kind in
      [String](repeating: modules[kind.kernel].path, count: kind.count)
    }
  }

  /// Memory of all domains in MiB.
  var memory: Int { kinds.map { $0.memory * $0.count }.reduce(0, +) }

  /// Vcpus of all domains.
  var vcpus: Int { kinds.map { $0.vcpus * $0.count }.reduce(0, +) }

  /// Bytes of all files, as far as they can be seen.
  var size: UInt64 {
    modules.map { module in
      let path = URL(filePath: module.path).resolvingSymlinksInPath().path
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return attributes?[.size] as? UInt64 ?? 0
    }.reduce(0, +)
  }

  /// Rootstock's options for the domains, one for each kind.
  var options: String {
    let domains = kinds.map { kind in
      var fields = ["kernel:\(kind.kernel)"]
      if let ramdisk = kind.ramdisk { fields.append("ramdisk:\(ramdisk)") }
      fields.append("memory:\(kind.memory)")
      if kind.vcpus != 1 { fields.append("vcpus:\(kind.vcpus)") }
      if let weight = kind.weight { fields.append("weight:\(weight)") }
      if kind.count != 1 { fields.append("count:\(kind.count)") }
      return "domain=" + fields.joined(separator: ",")
    }
    return (domains + (waitsForAll ? ["wait"] : [])).joined(separator: " ")
  }

  /// The number of a file's module; a file that several domains use is loaded once.
  private mutating func module(_ path: String, _ role: String) -> Int {
    if let index = modules.firstIndex(where: { $0.path == path }) { return index }
    modules.append(ModuleFile(path: path, role: role))
    return modules.count - 1
  }
}
