// What can be asked for: a kind, a language, an architecture and, of a driver, the system that it is for.

public import ABISchema

/// What is generated.
public enum ScaffoldKind: String, Sendable, CaseIterable {
  case kernel
  case console
  case block
  case net
  case xenbus

  /// One line for `--list`.
  public var summary: String {
    switch self {
    case .kernel: "a minimal PV kernel that boots: traps, page tables, events, timer, heap, console"
    case .console: "the console's frontend"
    case .block: "the block device's frontend, with xenbus, grants and events"
    case .net: "the network device's frontend, with xenbus, grants and events"
    case .xenbus: "the xenstore client and xenbus, for drivers of one's own"
    }
  }

  /// The languages that there are templates in.
  public var languages: [ScaffoldLanguage] {
    self == .kernel ? Templates.kernelLanguages : Templates.driverLanguages
  }
}

/// What a kernel does.
public enum ScaffoldTemplate: String, Sendable, CaseIterable {
  case minimal
  case devices
  case webserver

  /// One line for `--list`.
  public var summary: String {
    switch self {
    case .minimal: "does each thing once and powers off, or lives as the driver that is linked in"
    case .devices: "finds its disk and its network, and answers datagrams, until it is told to end"
    case .webserver: "serves the files of a tar archive on its disk over HTTP, with lwIP"
    }
  }

  /// The languages that it is there in.
  public var languages: [ScaffoldLanguage] {
    self == .minimal ? Templates.kernelLanguages : [.c]
  }
}

/// What it is written in.
public enum ScaffoldLanguage: String, Sendable, CaseIterable {
  case c
  case rust
  case swift
}

/// The system that a driver's porting layer is written for.
public enum ScaffoldPreset: String, Sendable, CaseIterable {
  case bare
  case linuxLike = "linux-like"
  case bsdLike = "bsd-like"
  case xv6Like = "xv6-like"

  /// One line for `--list`.
  public var summary: String {
    switch self {
    case .bare:
      "one processor and no threads, such as `generate kernel` writes"
    case .linuxLike: "kzalloc, wait queues, threaded interrupts, as in Linux"
    case .bsdLike: "kmem and uvm, adaptive mutexes, soft interrupts, as in NetBSD"
    case .xv6Like: "kalloc, spinlocks, sleep and wakeup, as in xv6"
    }
  }

  /// The languages that it is there in: kernels like these are written in C.
  public var languages: [ScaffoldLanguage] {
    self == .bare ? Templates.driverLanguages : [.c]
  }
}

/// A whole request.
public struct ScaffoldRequest: Sendable {
  /// What to write.
  public var kind: ScaffoldKind
  /// In which language.
  public var language: ScaffoldLanguage
  /// The project's name: file names, messages and the ELF note have it.
  public var name: String
  /// For which system; of drivers.
  public var preset: ScaffoldPreset
  /// What it does; of kernels.
  public var template: ScaffoldTemplate
  /// What it runs on.
  public var architecture: Architecture

  public init(
    kind: ScaffoldKind, language: ScaffoldLanguage, name: String? = nil,
    preset: ScaffoldPreset = .bare, template: ScaffoldTemplate = .minimal,
    architecture: Architecture = .x86_64
  ) {
    self.kind = kind
    self.language = language
    let kernel = template == .webserver ? template.rawValue : "kernel"
    self.name = name ?? (kind == .kernel ? kernel : "xen-\(kind.rawValue)")
    self.preset = preset
    self.template = template
    self.architecture = architecture
  }
}

extension ScaffoldRequest {
  /// The architectures that it can be answered for: what is in C runs in ring 1 of 32 bits as well.
  public var architectures: [Architecture] {
    language == .c ? [.x86_64, .x86_32] : [.x86_64]
  }

  /// The languages that it can be answered in.
  public var languages: [ScaffoldLanguage] {
    kind == .kernel ? template.languages : kind.languages
  }

  /// Whether the driver comes with something to do: a bare kernel has nobody else who would use it.
  var hasLife: Bool { preset == .bare && (kind == .block || kind == .net) }
}
