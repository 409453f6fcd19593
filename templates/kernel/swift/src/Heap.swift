// A heap of powers of two: a list of free pieces for each of 16, 32 ... 4096 bytes, filled a page at a
// time. The last two functions are what Swift's own runtime wants as soon as a class or an array is
// used, under their C names in start.S: a piece's size is kept in front of it.

import CXenABI
import Machine

enum Heap {
  /// The first free piece of each size; each holds the address of the next.
  private nonisolated(unsafe) static var free = InlineArray<9, UInt64>(repeating: 0)

  private static func index(_ size: UInt64) -> Int {
    var index = 0
    while 16 << UInt64(index) < size { index += 1 }
    return index
  }

  /// A piece of so many bytes, 4096 at most; 0: there is none.
  static func take(_ size: UInt64) -> UInt64 {
    if size > Pages.size { return 0 }
    let index = index(size)
    if free[index] == 0 {
      let page = Pages.take()
      var piece = page
      while page != 0 && piece < page + Pages.size {
        give(piece, 16 << UInt64(index))
        piece += 16 << UInt64(index)
      }
    }
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
