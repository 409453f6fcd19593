// The guest as domain 0's toolstack on stock Xen gets it: a configuration for `xl create`, and the
// files that stand in domain 0 beside it.

/// A guest that `xl` starts.
struct ToolstackGuest {
  let request: BootRequest
  let devices: DevicePlan

  /// - Throws: ``HarnessError/input(path:expected:found:)`` where devices do not go together.
  init(_ request: BootRequest) throws(HarnessError) {
    self.request = request
    devices = try DevicePlan(request)
  }

  /// What domain 0 finds in its file system, in the folder /guest.
  var members: [CpioArchive.Member] {
    var files = [("kernel", ModuleFile(path: request.kernel, role: "the guest's kernel"))]
    if let initrd = request.initrd {
      files.append(("initrd", ModuleFile(path: initrd, role: "the guest's ramdisk")))
    }
    files.append(
      ("config", ModuleFile(path: "", role: "the guest's description", contents: Array(text.utf8))))
    return files.map { CpioArchive.Member(name: "guest/" + $0, file: $1) }
  }

  /// The configuration.
  var text: String {
    var lines = [
      "name=\"guest\"", "type=\"pv\"", "kernel=\"/guest/kernel\"",
      "cmdline=\(Self.quoted(request.commandLine))",
      "memory=\(request.memory)", "vcpus=\(request.vcpus)",
    ]
    if request.initrd != nil { lines.append("ramdisk=\"/guest/initrd\"") }
    // What its console still has to say is read behind its end.
    for end in ["poweroff", "reboot", "crash", "watchdog", "soft_reset"] {
      lines.append("on_\(end)=\"preserve\"")
    }
    let disks = devices.disks.enumerated().map { number, disk in
      "\"phy:/dev/xenograft/\(DevicePlan.fileName(ofDisk: number)),\(disk.name),"
        + (disk.isReadOnly ? "r\"" : "w\"")
    }
    if !disks.isEmpty { lines.append("disk=[\(disks.joined(separator: ","))]") }
    if devices.network != nil {
      lines.append("vif=[\"mac=\(DevicePlan.address(of: 1)),bridge=xenbr0,script=vif\"]")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// A string of xl's syntax: whatever could end it, or is no visible ASCII, goes by its octal
  /// number (xl 4.17 knows hexadecimal ones, too, and refuses all of them).
  private static func quoted(_ text: String) -> String {
    let bytes = text.utf8.map { byte in
      let isPlain = (0x20...0x7E).contains(byte) && byte != 0x22 && byte != 0x5C && byte != 0x27
      if isPlain { return String(UnicodeScalar(byte)) }
      let digits = String(byte, radix: 8)
      return "\\" + String(repeating: "0", count: 3 - digits.utf8.count) + digits
    }
    return "\"" + bytes.joined() + "\""
  }
}
