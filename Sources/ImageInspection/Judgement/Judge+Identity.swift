// What a kernel says of itself: loader, interface version, features, PAE.

import ABISchema

extension Judge {
  mutating func judgeFeatures() {
    let known = rules.accepts(Name.features)
    for name in parameters.requiredFeatures where !known.contains(name) {
      add(
        "feature-unknown", parameters.isLegacy ? .advice : .refused, noteName(Name.features),
        expected: "behind `!` one of \(known.joined(separator: ", "))", found: "`!\(name)`",
        cure: "drop the `!` from \(name), or the name: the loader refuses to promise it")
    }
    for name in parameters.features where !known.contains(name) {
      add(
        "feature-ignored", .advice, noteName(Name.features),
        expected: "one of \(known.joined(separator: ", "))", found: "`\(name)`",
        cure: "drop \(name), which loaders ignore")
    }
    if !isPVH, parameters.requiredFeatures.contains("supervisor_mode_kernel") {
      add(
        "supervisor-required", .refused, noteName(Name.features),
        expected: "no demand for ring 0", found: "`!supervisor_mode_kernel`",
        cure: "drop the `!`: a PV kernel runs in ring 3 (64-bit) or 1 (32-bit)")
    }
    if parameters.requiredFeatures.contains("dom0") {
      add(
        "only-domain0", .refused, noteName(Name.features), expected: "no demand to be domain 0",
        found: "`!dom0`", cure: "write `dom0` without `!` if the kernel can run as a guest too",
        loaders: loaders.filter { $0 != .xenDomain0 })
    }
    if let map = parameters.supportedMap, let bit = rules.featureBit("dom0"),
      map >> bit & 1 == 0, !(parameters.features + parameters.requiredFeatures).contains("dom0")
    {
      add(
        "not-domain0", .refused, Name.supportedFeatures,
        expected: "bit \(bit) (dom0), or `dom0` in \(Name.features)", found: hexadecimal(map),
        cure: "set the bit if the kernel can be domain 0, or remove the note",
        loaders: [.xenDomain0])
    }
  }

  mutating func judgeIdentity() {
    let loaders = rules.accepts(Name.loader)
    let systems = rules.accepts(Name.guestOS)
    let isLoader = loaders.contains { parameters.loader.hasPrefix($0) }
    let isSystem = systems.contains { parameters.guestOS.hasPrefix($0) }
    if !isLoader, !isSystem {
      add(
        "loader", .refused, noteName(Name.loader), expected: quoted(loaders),
        found: parameters.loader.isEmpty ? "none" : "\"\(parameters.loader)\"",
        cure: "add a note \(Name.loader) (\(rules.number(of: Name.loader) ?? 0)) "
          + "with the text \(quoted(loaders))")
    }
    let versions = rules.accepts(Name.xenVersion)
    if !versions.contains(where: { parameters.xenVersion.hasPrefix($0) }) {
      add(
        "xen-version", .refused, noteName(Name.xenVersion), expected: quoted(versions),
        found: parameters.xenVersion.isEmpty ? "none" : "\"\(parameters.xenVersion)\"",
        cure: "add a note \(Name.xenVersion) (\(rules.number(of: Name.xenVersion) ?? 0)) "
          + "with the text \(quoted(versions)); it names the interface, not the release")
    }
  }

  mutating func judgePAE() {
    guard !is64 else { return }
    let accepted = rules.accepts(Name.paeMode)
    let mode = parameters.paeMode
    if mode != "yes", !mode.contains("bimodal") {
      add(
        "pae-mode", .refused, noteName(Name.paeMode), expected: quoted(accepted),
        found: mode.isEmpty ? "none" : "\"\(mode)\"",
        cure: "build the kernel with PAE page tables and add a note \(Name.paeMode) "
          + "(\(rules.number(of: Name.paeMode) ?? 0)) with the text \"yes\"")
    }
    add(
      "pv32-option", .risk, "ELF header", expected: "a 64-bit kernel",
      found: "a 32-bit one, which Xen takes only if it was built with CONFIG_PV32",
      cure: "boot a hypervisor that has 32-bit PV, or port the 64-bit kernel",
      loaders: [.xenDomain0, .xenDomain])
  }

  private func quoted(_ texts: [String]) -> String {
    texts.map { "\"\($0)\"" }.joined(separator: " or ")
  }
}
