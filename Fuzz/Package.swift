// swift-tools-version: 6.2
// Fuzz targets, one for each parser that reads other people's bytes. A package of its own, because
// all of it (the parsers too) is built with libFuzzer's and AddressSanitizer's instrumentation.
// `run` builds it with the flags that this takes.

import PackageDescription

let package = Package(
  name: "xenograft-fuzz",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "xenograft", path: "..")],
  targets: [
    .executableTarget(
      name: "fuzz",
      dependencies: [
        .product(name: "KernelImage", package: "xenograft"),
        .product(name: "Disassembly", package: "xenograft"),
        .product(name: "Audit", package: "xenograft"),
        .product(name: "Effort", package: "xenograft"),
      ])
  ]
)
