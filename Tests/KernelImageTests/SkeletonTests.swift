import Testing

@testable import KernelImage
