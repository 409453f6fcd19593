// `abi verify`: binaries that others built match, and one that is wrong is told field by field.

import ABISchema
import ABIVerifier
import Foundation
import Testing

@testable import ABIGenerator

@Suite(.enabled(if: TestABI.isPresent, "there is no abi/ folder beside Package.swift"))
struct VerifyTests {
  static let headers = "/usr/include/xen"
  static let vmlinux = ProcessInfo.processInfo.environment["XENOGRAFT_TEST_VMLINUX_DBG"]

  /// Xen's public headers that a guest includes, those that exist.
  static let included = [
    "xen", "callback", "event_channel", "features", "grant_table", "memory", "nmi", "physdev",
    "platform", "sched", "vcpu", "version", "pmu", "argo", "hypfs", "hvm/params", "hvm/hvm_op",
    "hvm/hvm_vcpu", "arch-x86/hvm/start_info", "io/blkif", "io/console", "io/netif", "io/xenbus",
    "io/xs_wire", "io/kbdif", "io/fbif", "io/displif", "io/sndif", "io/9pfs", "io/pciif",
  ]

  private func compile(_ source: String, bits: Int, _ scratch: Scratch) throws -> String {
    try scratch.write(source, to: "object.c")
    let outcome = try Shell.run(
      .gcc,
      [
        "-m\(bits)", "-g", "-ffreestanding", "-fno-eliminate-unused-debug-types", "-c", "-o",
        "object\(bits).o", "object.c",
      ], in: scratch.path)
    try #require(outcome.status == 0, "\(outcome.output)")
    return scratch.path + "/object\(bits).o"
  }

  @Test(
    .enabled(if: Tool.gcc.isPresent, "gcc is not installed"),
    .enabled(
      if: FileManager.default.fileExists(atPath: headers + "/xen.h"),
      "Xen's headers are not installed (libxen-dev)"),
    arguments: [64, 32])
  func verify_objectOfXensHeaders_matches(bits: Int) throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    var source = "#include <stdint.h>\n#include <stddef.h>\n#define memset __builtin_memset\n"
    source += "#define memcpy __builtin_memcpy\n"
    source = "#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__\n" + source
    for name in Self.included
    where FileManager.default.fileExists(atPath: "\(Self.headers)/\(name).h") {
      source += "#include <xen/\(name).h>\n"
    }
    let report = try LayoutVerifier(abi).verify(path: try compile(source, bits: bits, scratch))
    print(report.text.split(separator: "\n").last ?? "")
    #expect(report.count(.mismatch) == 0, "\(report.text)")
    #expect(report.count(.match) >= 100)
  }

  @Test(.enabled(if: vmlinux != nil, "XENOGRAFT_TEST_VMLINUX_DBG names no kernel with DWARF"))
  func verify_debianLinux_matches() throws {
    let abi = try #require(TestABI.abi)
    let path = try #require(Self.vmlinux)
    let report = try LayoutVerifier(abi).verify(path: path)
    print(report.text.split(separator: "\n").last ?? "")
    #expect(report.count(.mismatch) == 0, "\(report.text)")
    #expect(report.count(.match) >= 40)
  }

  @Test(.enabled(if: Tool.gcc.isPresent, "gcc is not installed"))
  func verify_wrongStructures_areToldFieldByField() throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    let source = """
      typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
      typedef unsigned long long u64;
      /* status and dom have changed places, and the last field is too short. */
      struct gnttab_map_grant_ref {
        u64 host_addr; u32 flags; u32 ref; short status; u16 dom; u32 handle; u32 dev_bus_addr;
        u32 more;
      } a;
      /* The right bytes under other names. */
      struct gnttab_unmap_grant_ref { u64 where; u64 bus; u32 handle; short answer; u16 rest; } b;
      /* One word where there are two. */
      struct evtchn_bind_virq { u64 both; u32 port; } c;
      /* Known by a typedef alone. */
      typedef struct { u32 nr; } gnttab_set_version_t;
      gnttab_set_version_t d;
      """
    let report = try LayoutVerifier(abi).verify(path: try compile(source, bits: 64, scratch))
    func found(_ name: String) throws -> StructureReport {
      try #require(report.structures.first { $0.name == name })
    }
    let map = try found("gnttab_map_grant_ref")
    #expect(map.verdict == .mismatch)
    let wrong = map.fields.filter { $0.verdict == .mismatch }.map(\.name)
    #expect(wrong.sorted() == ["dev_bus_addr", "dom", "status"])
    let status = try #require(map.fields.first { $0.name == "status" })
    #expect(status.offset == LayoutPair(abi: 18, found: 16))
    let unmap = try found("gnttab_unmap_grant_ref")
    #expect(unmap.verdict == .match, "\(report.text)")
    #expect(unmap.fields.first { $0.name == "host_addr" }?.foundName == "where")
    let virq = try found("evtchn_bind_virq")
    #expect(virq.verdict == .mismatch)
    #expect(virq.fields.filter { $0.verdict == .mismatch }.map(\.name) == ["virq", "vcpu"])
    #expect(report.count(.mismatch) == 2)
    #expect(report.json.text().contains("\"schema\": \"xenograft.abi-verify/1\""))
  }

  /// Linux leaves the first byte of a request to the structure around it: no fault there, and one
  /// where nothing stands around it.
  @Test(.enabled(if: Tool.gcc.isPresent, "gcc is not installed"), arguments: [true, false])
  func verify_partOfARequest_countsOnlyInsideTheWhole(isInside: Bool) throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    var source = """
      typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
      typedef unsigned long long u64;
      struct __attribute__((packed)) blkif_request_discard {
        u8 flag; u16 pad1; u32 pad2; u64 id; u64 sector_number; u64 nr_sectors; u8 pad3;
      } a;

      """
    if isInside {
      source += """
        struct __attribute__((packed)) blkif_request {
          u8 operation; union { struct blkif_request_discard discard; } u;
        } b;

        """
    }
    let report = try LayoutVerifier(abi).verify(path: try compile(source, bits: 64, scratch))
    let found = try #require(report.structures.first { $0.name == "blkif_request_discard" })
    #expect(found.verdict == (isInside ? .match : .mismatch), "\(report.text)")
  }

  @Test func verify_noELF_isRefusedWithAReason() throws {
    let abi = try #require(TestABI.abi)
    let scratch = try Scratch()
    let path = try scratch.write("not an ELF file", to: "text.o")
    #expect(throws: (any Error).self) { try LayoutVerifier(abi).verify(path: path) }
    #expect(throws: (any Error).self) { try LayoutVerifier(abi).verify(path: path + ".absent") }
  }
}
