// Whether QEMU may use the processor's virtualization.

import Foundation

/// What `--accel auto` finds on a machine.
public enum HardwareAcceleration: Sendable, CaseIterable {
  /// KVM is used.
  case usable
  /// There is no /dev/kvm.
  case noDevice
  /// /dev/kvm is there, and this user may not read and write it.
  case noPermission
  /// /dev/kvm is there without vmx or svm in the processor: what it then runs is no PC.
  case noProcessorSupport

  /// Judges a machine.
  ///
  /// - Parameters:
  ///   - isThere: /dev/kvm exists.
  ///   - isPermitted: This user may read and write it.
  ///   - processor: The text of /proc/cpuinfo.
  public init(isThere: Bool, isPermitted: Bool, processor: String) {
    let flags = processor.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
    let isSupported = flags.split(separator: " ").contains { $0 == "vmx" || $0 == "svm" }
    self =
      if !isThere {
        .noDevice
      } else if !isPermitted {
        .noPermission
      } else {
        isSupported ? .usable : .noProcessorSupport
      }
  }

  /// This machine's.
  static var current: Self {
    Self(
      isThere: access(device, F_OK) == 0, isPermitted: access(device, R_OK | W_OK) == 0,
      processor: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
  }

  /// KVM's device.
  public static let device = "/dev/kvm"
}
