// A saved domain as a file, looked at before anything is booted: version, measures, digest.

import CRootstock
import Foundation
import KernelImage

/// What a file with a saved domain says of it.
public struct SavedDomainFile: Sendable, Equatable {
  /// Memory that it may have, in MiB.
  public var memory: Int
  /// Its vcpus.
  public var vcpus: Int

  static let digestOffset = MemoryLayout<rootstock_saved>.offset(of: \rootstock_saved.digest) ?? 88
  private static let headerSize = MemoryLayout<rootstock_saved>.size
  private static let page = 4096

  /// Whether a file begins like one.
  public static func isSaved(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path), let bytes = try? file.read(upToCount: 8),
      bytes.count == 8
    else { return false }
    return Array(bytes).word(0) == UInt64(ROOTSTOCK_SAVED_MAGIC)
  }

  /// Reads and checks all of a file.
  ///
  /// - Throws: ``HarnessError/input(path:expected:found:)`` where it is none, cut short or altered.
  public init(path: String) throws(HarnessError) {
    guard Self.isSaved(path), let file = FileHandle(forReadingAtPath: path) else {
      throw .input(path: path, expected: "a saved domain", found: "none")
    }
    func next(_ count: Int) throws(HarnessError) -> [UInt8] {
      do { return Array(try file.read(upToCount: count) ?? Data()) } catch {
        throw .input(path: path, expected: "a file that can be read", found: "\(error)")
      }
    }
    var first = try next(Self.page)
    guard first.count == Self.page else {
      throw .input(path: path, expected: "a saved domain", found: "\(first.count) bytes of one")
    }
    let header = first.withUnsafeBytes { $0.loadUnaligned(as: rootstock_saved.self) }
    guard (1...UInt32(ROOTSTOCK_SAVED_VERSION)).contains(header.version) else {
      throw .input(
        path: path, expected: "a saved domain of version 1 or \(ROOTSTOCK_SAVED_VERSION)",
        found: "version \(header.version)")
    }
    guard header.page_count > 0, header.page_count < 1 << 27, header.vcpu_count > 0,
      header.vcpu_count <= 128, header.content_count <= header.page_count,
      header.page_limit < 1 << 27
    else {
      throw .input(path: path, expected: "a saved domain", found: "counts that are none")
    }
    let pages =
      1 + Int(header.vcpu_count) * Int(ROOTSTOCK_SAVED_VCPU_PAGES)
      + (Int(header.page_count) + 511) / 512 + Int(header.content_count)
    let digest = Array(first[Self.digestOffset..<Self.digestOffset + 32])
    for index in 0..<32 { first[Self.digestOffset + index] = 0 }
    guard let sum = StreamDigest() else {
      throw .missing(what: "libcrypto's SHA-256", remedy: .package("libssl3"))
    }
    sum.take(first)
    var size = Self.page
    while true {
      let bytes = try next(1 << 20)
      if bytes.isEmpty { break }
      sum.take(bytes)
      size += bytes.count
    }
    guard size == pages * Self.page else {
      throw .input(
        path: path, expected: "a saved domain of \(pages * Self.page) bytes", found: "\(size)")
    }
    guard sum.end() == digest else {
      throw .input(
        path: path, expected: "a saved domain as it was written",
        found: "another SHA-256 than it says: it was altered")
    }
    memory = Int((header.page_limit + 255) / 256)
    vcpus = Int(header.vcpu_count)
  }
}
