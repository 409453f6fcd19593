// Which instructions of a kernel a trace must watch: those that ask something of a port, since a
// hypervisor counts only what it emulates.

import Audit
import KernelImage

enum WatchedInstructions {
  /// Their addresses; none where the audit cannot read the kernel, which a boot tells better.
  static func addresses(in kernel: String) -> [UInt64] {
    guard let matcher = try? RuleMatcher(RuleBook.builtin.rules) else { return [] }
    var options = AuditOptions()
    options.target = .pv64
    options.readsSource = false
    let result: ImageResult
    do throws(AuditError) {
      result = try ImageAuditor(matcher: matcher, options: options).audit(path: kernel)
    } catch {
      return []
    }
    return result.findings.filter(\.wantsWatch).map(\.address)
  }
}
