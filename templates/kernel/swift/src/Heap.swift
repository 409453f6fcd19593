// A heap of powers of two: a list of free pieces for each size from 32 bytes on, filled a page or more
// at a time. Its pages are mapped at low addresses: Swift takes an object whose address has its highest
// bit set, as all of this kernel's have, for one that lives for ever, and counts no references to it.
//
// The last two functions are what Swift's own runtime wants as soon as a class or an array is used,
// under their C names in start.S: a piece's size is kept in front of it.

import CXenABI
import Machine

enum Heap {
  /// Pieces have up to 2^25 bytes.
  private static let sizes = 21
  private static let smallest: UInt64 = 32
  private static let base: UInt64 = 0x1200_0000_0000

  /// The first free piece of each size; each holds the address of the next.
  private nonisolated(unsafe) static var free = InlineArray<21, UInt64>(repeating: 0)
  /// Where the next page is mapped.
  private nonisolated(unsafe) static var end = base

  private static func index(_ size: UInt64) -> Int {
    var index = 0
    while index < sizes && smallest << UInt64(index) < size { index += 1 }
    return index
  }

  /// A piece of so many bytes; 0: there is none.
  static func take(_ size: UInt64) -> UInt64 {
    let index = index(size)
    if index == sizes { return 0 }
    if free[index] == 0 { grow(smallest << UInt64(index)) }
    let piece = free[index]
    if piece != 0 { free[index] = load64(piece) }
    return piece
  }

  /// Gives back a piece of that size.
  static func give(_ piece: UInt64, _ size: UInt64) {
    let index = index(size)
    store64(piece, free[index])
    free[index] = piece
  }

  /// Maps pages for one piece, or for as many as there are in a page.
  private static func grow(_ size: UInt64) {
    let start = end
    while end < start + max(size, Pages.size) {
      let page = Pages.take()
      if page == 0 { return }
      let error = Pages.map(
        end, frame: Pages.frame(address: page), Pages.writable | Pages.noExecute)
      if error != 0 { return }
      end += Pages.size
    }
    var piece = start
    while piece < end {
      give(piece, size)
      piece += size
    }
  }
}

@c(heap_allocate)
public func allocate(
  _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: UInt, _ size: UInt
) -> Int32 {
  let piece = Heap.take(UInt64(size) + 16)
  if piece == 0 || alignment > 16 { return XEN_ENOMEM }
  store64(piece, UInt64(size) + 16)
  result.pointee = UnsafeMutableRawPointer(bitPattern: UInt(piece) + 16)
  return 0
}

@c(heap_free)
public func deallocate(_ memory: UnsafeMutableRawPointer?) {
  guard let memory else { return }
  let piece = UInt64(UInt(bitPattern: memory)) - 16
  Heap.give(piece, load64(piece))
}
