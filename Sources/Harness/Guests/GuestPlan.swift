// Which domains run, and from which files: a request laid out as the hypervisor gets it.

import Foundation
import KernelImage

/// A file that the boot loader hands to the hypervisor.
struct ModuleFile: Equatable, Sendable {
  var path: String
  /// What it is, for a message that it cannot be read.
  var role: String
  /// What is handed over in place of a file.
  var contents: [UInt8]?
}

/// A kind of domain, of which there may be several.
struct DomainKind: Equatable, Sendable {
  /// The number of the kernel's module.
  var kernel: Int
  /// The number of the ramdisk's module.
  var ramdisk: Int?
  /// The number of the module with its command line.
  var arguments: Int?
  /// In MiB, of each.
  var memory: Int
  var vcpus: Int
  var weight: Int?
  var count: Int
  /// How often each is started again.
  var restarts = 0
}

/// The domains of a run: 0 is the guest, then come its copies, then the guests beside it.
///
/// Where the guest has devices, the control domain is 0, and all others follow.
struct GuestPlan: Equatable, Sendable {
  /// As many as Rootstock takes.
  static let mostModules = 13
  /// What domain 0 has where it serves a guest, in MiB: the control domain, or on stock Xen Linux with
  /// the guest's files in its memory twice, packed and unpacked.
  private static func controlMemory(_ request: BootRequest) -> Int {
    guard request.hypervisor == .xen else { return 64 }
    let files = [request.kernel, request.initrd].compactMap(\.self).map(bytes(of:)).reduce(0, +)
    return 256 + 2 * Int(files >> 20)
  }

  private(set) var modules: [ModuleFile] = []
  private let unpacksKernels: Bool
  private(set) var kinds: [DomainKind] = []
  /// How many domains are the guest and its copies.
  let copies: Int
  /// Whether domain 0 serves the guest: the control domain, or on stock Xen Linux with a toolstack.
  let hasControlDomain: Bool
  /// The control domain's command line.
  private(set) var controlOptions = ""
  /// The run is over when every domain has ended, and not with domain 0.
  let waitsForAll: Bool

  /// - Throws: ``HarnessError/input(path:expected:found:)`` where there are more files than the
  ///   hypervisor takes.
  init(_ request: BootRequest, controlDomain: String? = nil) throws(HarnessError) {
    unpacksKernels = request.hypervisor == .rootstock
    copies = request.copies
    waitsForAll = request.copies > 1 || request.waitsForAll
    hasControlDomain = controlDomain != nil
    var arguments: Int?
    if let controlDomain {
      kinds.append(
        DomainKind(
          kernel: try kernel(controlDomain, "the control domain's image"),
          memory: Self.controlMemory(request), vcpus: 1, count: 1))
      let contents = Array(request.commandLine.utf8) + [0]
      guard contents.count <= 1024 else {
        throw .input(
          path: "--cmdline", expected: "at most 1023 bytes", found: "\(contents.count - 1)")
      }
      modules.append(ModuleFile(path: "", role: "the guest's command line", contents: contents))
      arguments = modules.count - 1
      controlOptions = try DevicePlan(request).options
      if request.input != nil { controlOptions += " interactive" }
      if request.save != nil { controlOptions += " commands" }
      if !waitsForAll { controlOptions += " until=\(subjects.upperBound - 1)" }
    }
    let kernel = try self.kernel(request.kernel, "the guest's kernel")
    let ramdisk = request.initrd.map { module($0, "the guest's ramdisk") }
    var kind = DomainKind(
      kernel: kernel, ramdisk: ramdisk, arguments: arguments, memory: request.memory,
      vcpus: request.vcpus, weight: request.weight, count: hasControlDomain ? copies : 1)
    kinds.append(kind)
    // Copies have no privilege: another kind than domain 0.
    if copies > 1, !hasControlDomain {
      kind.count = copies - 1
      kinds.append(kind)
    }
    for guest in request.beside {
      let kernel = try self.kernel(guest.kernel, "the kernel of a guest beside")
      let ramdisk = guest.initrd.map { module($0, "the ramdisk of a guest beside") }
      kinds.append(
        DomainKind(
          kernel: kernel, ramdisk: ramdisk, arguments: arguments, memory: guest.memory,
          vcpus: guest.vcpus, weight: guest.weight, count: guest.count, restarts: guest.restarts))
    }
    if hasControlDomain { controlOptions += restartOptions }
    guard modules.count <= Self.mostModules else {
      throw .input(
        path: "--beside", expected: "at most \(Self.mostModules) different files in all",
        found: "\(modules.count)")
    }
  }

  /// What the control domain builds again, and of what.
  private var restartOptions: String {
    var text = ""
    var number = 0
    for kind in kinds {
      for domain in number..<number + kind.count where kind.restarts > 0 {
        let parts = [
          domain, kind.restarts, kind.kernel, kind.ramdisk ?? 0xffff, kind.arguments ?? 0xffff,
          kind.memory, kind.vcpus, kind.weight ?? 256,
        ]
        text += " restart=" + parts.map(String.init).joined(separator: ":")
      }
      number += kind.count
    }
    return text
  }

  /// The kernel of each domain, by the domain's number.
  var kernels: [String] {
    kinds.flatMap { kind in
      [String](repeating: modules[kind.kernel].path, count: kind.count)
    }
  }

  /// The guest and its copies.
  var subjects: Range<Int> { hasControlDomain ? 1..<copies + 1 : 0..<copies }

  /// The domains whose end ends the run.
  var awaited: Set<Int> {
    guard waitsForAll else { return [subjects.lowerBound] }
    return Set(subjects.lowerBound..<kernels.count)
  }

  /// Memory of all domains in MiB.
  var memory: Int { kinds.map { $0.memory * $0.count }.reduce(0, +) }

  /// Vcpus of all domains.
  var vcpus: Int { kinds.map { $0.vcpus * $0.count }.reduce(0, +) }

  /// Bytes of all files, as far as they can be seen.
  var size: UInt64 {
    modules.map { module in
      module.contents.map { UInt64($0.count) } ?? Self.bytes(of: module.path)
    }.reduce(0, +)
  }

  private static func bytes(of path: String) -> UInt64 {
    let path = URL(filePath: path).resolvingSymlinksInPath().path
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[.size] as? UInt64 ?? 0
  }

  /// Rootstock's options for the domains, one for each kind.
  var options: String {
    let domains = kinds.enumerated().map { number, kind in
      var fields = ["kernel:\(kind.kernel)"]
      if let ramdisk = kind.ramdisk { fields.append("ramdisk:\(ramdisk)") }
      if let arguments = kind.arguments { fields.append("arguments:\(arguments)") }
      fields.append("memory:\(kind.memory)")
      if kind.vcpus != 1 { fields.append("vcpus:\(kind.vcpus)") }
      if let weight = kind.weight { fields.append("weight:\(weight)") }
      if kind.count != 1 { fields.append("count:\(kind.count)") }
      // The control domain uses ports, which the strict policy forbids those who are on trial; and
      // it lets the others begin, once it can serve them.
      if hasControlDomain { fields.append(number == 0 ? "exempt:1" : "paused:1") }
      return "domain=" + fields.joined(separator: ",")
    }
    return (domains + (waitsForAll && !hasControlDomain ? ["wait"] : [])).joined(separator: " ")
  }

  /// The number of a file's module; a file that several domains use is loaded once.
  private mutating func module(_ path: String, _ role: String) -> Int {
    if let index = modules.firstIndex(where: { $0.path == path && !path.isEmpty }) {
      return index
    }
    modules.append(ModuleFile(path: path, role: role))
    return modules.count - 1
  }

  /// Likewise for a kernel, out of which Rootstock gets the ELF file, as Xen's domain builder does: it
  /// unpacks nothing itself.
  private mutating func kernel(_ path: String, _ role: String) throws(HarnessError) -> Int {
    let index = module(path, role)
    guard unpacksKernels, FileManager.default.isReadableFile(atPath: path),
      !SavedDomainFile.isSaved(path)
    else { return index }
    do throws(ImageError) {
      let file = try BootFile.open(path: path)
      guard file.isWrapped else { return index }
      modules[index].contents = withExtendedLifetime(file) { Array(file.kernel.buffer) }
    } catch {
      throw .input(path: error.path, expected: error.expected, found: error.found)
    }
    return index
  }
}
