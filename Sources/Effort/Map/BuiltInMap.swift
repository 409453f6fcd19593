// The map that is used where none is given. It knows the customs of kernels' source trees; what it
// cannot know, which folder was cloned from which, CloneGuess finds out.

extension EffortMap {
  /// The built-in map.
  public static let builtIn: EffortMap = {
    var map = EffortMap()
    map.isBuiltIn = true
    map.sections = [
      rule("excluded", backups, why: "backup, patch leftover or build product"),
      rule("excluded", generated, why: "written by a program"),
      rule("excluded", vendored, why: "copied from another project"),
      rule("tests", tests, why: "tests"),
      rule("docs", documents, why: "documentation"),
      rule("build", build, why: "Kconfig, makefiles and linker scripts"),
      rule("backends", backends, why: "backends and domain 0"),
      rule("console", console, why: "console driver"),
      rule(paperSections[1], network, counted: true, why: "network frontend"),
      rule(paperSections[2], block, counted: true, why: "block frontend"),
      rule(paperSections[3], specific, counted: true, why: "Xen or the architecture"),
      rule(paperSections[0], independent, counted: true, why: "outside the architecture"),
      rule(paperSections[0], ["**"], counted: true, why: "nothing else matches"),
    ]
    map.include = globs(sources)
    map.exclude = globs(notPorted)
    return map
  }()

  private static func globs(_ texts: [String]) -> [Glob] { texts.compactMap(Glob.init) }

  private static func rule(
    _ name: String, _ match: [String], counted: Bool = false, why: String
  ) -> Rule {
    Rule(name, globs(match), counted: counted, why: why)
  }

  private static let backups = [
    "*.orig", "*.rej", "*~", "*.bak", "*.swp", "*.o", "*.ko", "*.a", "*.so", "*.obj", "*.d",
    "*.patch", "*.diff", ".DS_Store", "*.pyc",
  ]
  private static let generated = [
    "**/generated/**", "**/Generated/**", "*.pb.c", "*.pb.h", "*_generated.*", "*.gen.*",
    "*_shipped", "Cargo.lock", "Package.resolved", "package-lock.json", "go.sum",
  ]
  private static let vendored = [
    "**/vendor/**", "**/third_party/**", "**/third-party/**", "**/xen/interface/**",
    "**/xen/public/**", "**/hypervisor-ifs/**", "**/xen-public/**",
  ]
  private static let tests = [
    "**/test/**", "**/tests/**", "**/Tests/**", "**/testing/**", "**/selftests/**", "*_test.*",
    "test_*", "*Tests.swift",
  ]
  private static let documents = [
    "Documentation/**", "**/doc/**", "**/docs/**", "**/Documentation/**", "README*", "*.md",
    "*.rst", "COPYING*", "LICENSE*", "CHANGELOG*", "MAINTAINERS", "CREDITS", "ChangeLog*", "TODO",
    "NEWS*",
  ]
  private static let build = [
    "Makefile*", "makefile*", "GNUmakefile*", "Kbuild*", "*.mk", "*.mak", "Kconfig*", "Config.in",
    "config.in", "*defconfig*", ".config", "configure*", "*.cmake", "CMakeLists.txt",
    "meson.build", "*.lds", "*.lds.S", "*.ld", "Cargo.toml", "Package.swift", ".gitignore",
    ".gitattributes", ".gitmodules", ".github/**", ".ci/**", "scripts/**", "Dockerfile*",
    "xen_defconfig*",
  ]
  private static let backends = [
    "**/*blkback*", "**/*blkback*/**", "**/*netback*", "**/*netback*/**", "**/*backend*",
    "**/*backend*/**", "**/*pciback*/**", "**/*privcmd*", "**/dom0*", "**/dom0*/**",
    "**/*blktap*/**", "**/*usbback*/**", "**/*tpmback*/**",
  ]
  private static let console = [
    "**/*hvc_xen*", "**/*xencons*", "**/xen*/console/**", "**/xen*/**/console/**",
    "**/xen*/console*", "**/xen*/**/console*", "**/*xen_console*", "**/*xen-console*",
    "**/*xen-hvc*",
  ]
  private static let network = [
    "**/*netfront*", "**/*netfront*/**", "**/xen*/net*/**", "**/xen*/**/net*/**", "**/xen*/net*",
    "**/xen*/**/net*", "**/*xen-net*", "**/*xen_net*", "**/*xennet*", "**/*xen*vif*",
    "**/if_xn*", "**/if_xennet*", "**/*xenif*",
  ]
  private static let block = [
    "**/*blkfront*", "**/*blkfront*/**", "**/xen*/bl*k*/**", "**/xen*/**/bl*k*/**",
    "**/xen*/bl*k*", "**/xen*/**/bl*k*", "**/*xen-blk*", "**/*xen_blk*", "**/*xen-block*",
    "**/*xlblk*", "**/*xl_blk*", "**/*xen*vbd*", "**/*xbd*",
  ]
  private static let specific = [
    "**/*xen*", "**/*xen*/**", "**/*Xen*", "**/*Xen*/**", "**/*hypervisor*",
    "**/*hypervisor*/**", "**/*hypercall*", "**/*paravirt*", "arch/**", "**/arch/**",
    "include/asm-*/**", "include/asm/**", "**/i386/**", "**/x86/**", "**/x86_64/**", "**/amd64/**",
  ]
  private static let independent = [
    "kernel/**", "mm/**", "lib/**", "init/**", "ipc/**", "fs/**", "net/**", "block/**",
    "drivers/**", "sound/**", "security/**", "crypto/**", "include/**", "sys/**", "src/**",
    "usr/**", "*.c", "*.h", "*.S", "*.s", "*.rs", "*.swift", "*.go", "*.cc", "*.cpp", "*.hpp",
    "*.py", "*.sh",
  ]
  private static let sources = [
    "*.c", "*.h", "*.S", "*.s", "*.asm", "*.rs", "*.swift", "*.go", "*.cc", "*.cpp", "*.cxx",
    "*.hh", "*.hpp",
  ]
  /// What the paper leaves out of the base: device drivers, and what is no kernel.
  private static let notPorted = [
    "drivers/**", "sound/**", "**/test/**", "**/tests/**", "**/Tests/**", "**/testing/**",
    "**/selftests/**", "tools/**", "scripts/**", "samples/**", "Documentation/**", "**/doc/**",
    "**/docs/**", "**/vendor/**", "**/third_party/**", "**/generated/**", "**/Generated/**",
  ]
}
