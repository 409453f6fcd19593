// What libFuzzer calls. Its runtime brings the program's main function.

import Glibc

/// The target that the environment's XENOGRAFT_FUZZ names.
private let current: FuzzTarget = {
  let name = getenv("XENOGRAFT_FUZZ").map { String(cString: $0) } ?? ""
  guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
    // `run` asks for the names in this way.
    for target in FuzzTarget.all { print(target.name) }
    exit(2)
  }
  return target
}()

/// libFuzzer's first call, before any input.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutableRawPointer?
) -> CInt {
  _ = current
  return 0
}

/// libFuzzer's entry, called with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  current.read(UnsafeRawBufferPointer(start: data, count: size))
  return 0
}
