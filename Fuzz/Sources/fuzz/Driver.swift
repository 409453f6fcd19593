// What libFuzzer calls. Its runtime brings the program's main function.

import Glibc

/// The target that the environment's XENOGRAFT_FUZZ names.
private let current: FuzzTarget = {
  let name = getenv("XENOGRAFT_FUZZ").map { String(cString: $0) } ?? ""
  guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
    let names = FuzzTarget.all.map(\.name).joined(separator: " ")
    print("XENOGRAFT_FUZZ must name one of: \(names)")
    exit(2)
  }
  return target
}()

/// libFuzzer's entry, called with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  current.read(UnsafeRawBufferPointer(start: data, count: size))
  return 0
}
