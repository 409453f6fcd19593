import Testing

@testable import Disassembly
