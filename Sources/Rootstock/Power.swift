// The end of the machine's run.

import CMachine

/// Switching off.
enum Power {
  /// Ends the run: by QEMU's isa-debug-exit where the command line names its port, else by ACPI.
  ///
  /// isa-debug-exit makes QEMU exit with `status * 2 + 1`, so ACPI's way is the one that ends it
  /// with 0.
  static func off(status: UInt32) -> Never {
    xg_cli()
    if status != 0 {
      if Host.boot.commandLine.value(of: "debug-exit") != nil { xg_out32(0xf4, status) }
    }
    if Host.acpi.powerPort != 0 {
      // SLP_EN and the type of soft-off: ACPI 6.4, 4.8.3.2.1.
      xg_out16(Host.acpi.powerPort, 1 << 13 | Host.acpi.softOffType << 10)
    }
    log(.info).text("it is safe to switch off").end()
    stop()
  }
}

/// Halts this CPU for good.
func stop() -> Never {
  while true {
    xg_cli()
    xg_halt()
  }
}
