// Access to rings in Swift; the same steps in the same order as CRingRuntime.

enum SwiftRingRuntime {
  static let text = end + rings + streams

  private static let end = """
    //
    // Rings of requests and responses, and rings of bytes, in pages that two domains share.
    //
    // The other end may be hostile: it can write anything to the page at any time. So each end keeps
    // its own indexes in private memory and never reads them back from the page, an entry is copied
    // out before anybody looks at it, indexes are masked, and a producer index that claims more than
    // can be there is thrown as RingBroken. After that the only sound step is to disconnect.

    public import CXenABI

    extension Xen {
      /// The other end broke the protocol.
      public struct RingBroken: Error, Hashable, Sendable {
        @inlinable public init() {}
      }

      /// What both ends of a ring keep, all of it private.
      @usableFromInline
      struct RingEnd {
        @usableFromInline let page: UnsafeMutableRawPointer
        @usableFromInline let count: UInt32
        @usableFromInline let entrySize: UInt32
        @usableFromInline var produced: UInt32 = 0
        @usableFromInline var published: UInt32 = 0
        @usableFromInline var consumed: UInt32 = 0

        /// Describes one end; `nil` where the bytes cannot hold an entry.
        ///
        /// `page` leads to `byteCount` bytes, aligned to 4, that stay mapped while the ring is used.
        @inlinable
        init?(page: UnsafeMutableRawPointer, byteCount: Int, entrySize: Int) {
          guard let bytes = UInt32(exactly: byteCount), let size = UInt32(exactly: entrySize) else {
            return nil
          }
          let count = xenabi_ring_count(bytes, size)
          guard count != 0 else { return nil }
          self.page = page
          self.count = count
          self.entrySize = size
        }

        /// The header's words: req_prod, req_event, rsp_prod, rsp_event.
        // SAFETY: the page holds the header, aligned, while the ring is used (init).
        @inlinable
        func word(_ which: Int) -> UnsafeMutablePointer<UInt32> {
          (page + which * 4).assumingMemoryBound(to: UInt32.self)
        }

        // SAFETY: the index is masked, so the entry lies inside the bytes that init was given.
        @inlinable
        func entry(_ index: UInt32) -> UnsafeMutableRawPointer {
          page + 64 + Int(index & (count &- 1)) * Int(entrySize)
        }

        @inlinable
        mutating func write<Entry: BitwiseCopyable>(_ value: Entry) {
          entry(produced).storeBytes(of: value, as: Entry.self)
          produced &+= 1
        }

        @inlinable
        mutating func read<Entry: BitwiseCopyable>() -> Entry {
          let value = entry(consumed).loadUnaligned(as: Entry.self)
          xenabi_compiler_barrier()
          consumed &+= 1
          return value
        }

        @inlinable
        mutating func push(_ producer: Int, _ event: Int) -> Bool {
          let old = published
          let now = produced
          xenabi_store_release(word(producer), now)  // entries before the index
          published = now
          xenabi_full_barrier()  // the index before the look at the event
          return now &- xenabi_load_relaxed(word(event)) < now &- old
        }

        @inlinable
        func wait(_ producer: Int, _ event: Int) -> Bool {
          xenabi_store_release(word(event), consumed &+ 1)
          xenabi_full_barrier()  // the wish before the last look
          return xenabi_load_acquire(word(producer)) != consumed
        }
      }

    """

  private static let rings = """

      /// The end that sends requests.
      public struct FrontRing<Request: BitwiseCopyable, Response: BitwiseCopyable> {
        @usableFromInline var end: RingEnd

        /// Clears the page's header and describes this end; `nil` where no entry fits.
        ///
        /// `page` leads to `byteCount` bytes, aligned to 4, that stay mapped while the ring is used.
        @inlinable
        public init?(unsafePage page: UnsafeMutableRawPointer, byteCount: Int) {
          let size = max(MemoryLayout<Request>.size, MemoryLayout<Response>.size)
          guard let end = RingEnd(page: page, byteCount: byteCount, entrySize: size) else {
            return nil
          }
          self.end = end
          page.initializeMemory(as: UInt8.self, repeating: 0, count: 64)
          end.word(1).pointee = 1
          end.word(3).pointee = 1
        }

        /// Entries in the ring, a power of two.
        @inlinable public var count: UInt32 { end.count }

        /// Where the next request and the next response stand; indexes run freely and are masked by
        /// ``count`` less one.
        @inlinable public var requestIndex: UInt32 { end.produced }
        @inlinable public var responseIndex: UInt32 { end.consumed }

        /// Requests that were put and not published, and published and not answered.
        @inlinable public var unpublished: UInt32 { end.produced &- end.published }
        @inlinable public var unanswered: UInt32 { end.published &- end.consumed }

        /// Requests that can still be put.
        @inlinable public var free: UInt32 { end.count &- (end.produced &- end.consumed) }

        /// Writes a request that ``push()`` will publish; false where there is no room.
        @inlinable
        public mutating func put(_ request: Request) -> Bool {
          if free == 0 { return false }
          end.write(request)
          return true
        }

        /// Publishes what was put; true where the back end wants to be notified.
        @inlinable public mutating func push() -> Bool { end.push(0, 1) }

        /// Copies out the next response; `nil` where there is none.
        @inlinable
        public mutating func take() throws(RingBroken) -> Response? {
          let ready = xenabi_load_acquire(end.word(2)) &- end.consumed
          if ready == 0 { return nil }
          // More responses than unanswered requests: the back end lies.
          if ready > end.published &- end.consumed { throw RingBroken() }
          return end.read() as Response
        }

        /// Asks to be notified of the next response; true where one is there already.
        @inlinable public func wait() -> Bool { end.wait(2, 3) }
      }

      /// The end that answers requests.
      public struct BackRing<Request: BitwiseCopyable, Response: BitwiseCopyable> {
        @usableFromInline var end: RingEnd

        /// Describes this end of a ring that the front end has made; `nil` where no entry fits.
        ///
        /// `page` leads to `byteCount` bytes, aligned to 4, that stay mapped while the ring is used.
        @inlinable
        public init?(unsafePage page: UnsafeMutableRawPointer, byteCount: Int) {
          let size = max(MemoryLayout<Request>.size, MemoryLayout<Response>.size)
          guard let end = RingEnd(page: page, byteCount: byteCount, entrySize: size) else {
            return nil
          }
          self.end = end
        }

        /// Copies out the next request; `nil` where there is none.
        @inlinable
        public mutating func take() throws(RingBroken) -> Request? {
          let ready = xenabi_load_acquire(end.word(0)) &- end.consumed
          if ready == 0 { return nil }
          // More requests than there is room for beside the unanswered ones: the front end lies.
          if ready > end.count &- (end.consumed &- end.produced) { throw RingBroken() }
          return end.read() as Request
        }

        /// Writes a response that ``push()`` will publish; false where no request is unanswered.
        @inlinable
        public mutating func put(_ response: Response) -> Bool {
          if end.produced == end.consumed { return false }
          end.write(response)
          return true
        }

        /// Publishes what was put; true where the front end wants to be notified.
        @inlinable public mutating func push() -> Bool { end.push(2, 3) }

        /// Asks to be notified of the next request; true where one is there already.
        @inlinable public func wait() -> Bool { end.wait(0, 1) }
      }

    """

  private static let streams = """

      /// One end of two rings of bytes, as the console and xenstore use them.
      public struct ByteStream {
        /// Where the parts lie; C's `…_begin_guest` and `…_begin_backend` fill it in.
        @usableFromInline let parts: xenabi_stream
        @usableFromInline var consumed: UInt32
        @usableFromInline var produced: UInt32

        /// Takes over the indexes that the page holds.
        ///
        /// The parts stay mapped while the stream is used, and both sizes are powers of two.
        @inlinable
        public init(unsafeParts parts: xenabi_stream) throws(RingBroken) {
          self.parts = parts
          consumed = xenabi_load_acquire(parts.in_cons)
          produced = xenabi_load_acquire(parts.out_prod)
          if xenabi_load_acquire(parts.in_prod) &- consumed > parts.in_size
            || produced &- xenabi_load_acquire(parts.out_cons) > parts.out_size
          {
            throw RingBroken()
          }
        }

        /// Writes as many bytes as there is room for and returns their number.
        @inlinable
        public mutating func write(_ data: UnsafeRawBufferPointer) throws(RingBroken) -> Int {
          let used = produced &- xenabi_load_acquire(parts.out_cons)
          if used > parts.out_size { throw RingBroken() }
          xenabi_full_barrier()  // the consumer is done with the bytes that are written next
          let length = min(data.count, Int(parts.out_size &- used))
          guard length > 0, let source = data.baseAddress, let ring = parts.out else { return 0 }
          let start = Int(produced & (parts.out_size &- 1))
          let first = min(length, Int(parts.out_size) - start)
          // SAFETY: start and both lengths stay below the size of the output ring.
          UnsafeMutableRawPointer(ring + start).copyMemory(from: source, byteCount: first)
          UnsafeMutableRawPointer(ring).copyMemory(
            from: source + first, byteCount: length - first)
          produced &+= UInt32(truncatingIfNeeded: length)
          xenabi_store_release(parts.out_prod, produced)  // bytes before the index
          return length
        }

        /// Copies out as many bytes as there are and returns their number.
        @inlinable
        public mutating func read(
          into data: UnsafeMutableRawBufferPointer
        ) throws(RingBroken) -> Int {
          let ready = xenabi_load_acquire(parts.in_prod) &- consumed
          if ready > parts.in_size { throw RingBroken() }
          let length = min(data.count, Int(ready))
          guard length > 0, let target = data.baseAddress, let ring = parts.in else { return 0 }
          let start = Int(consumed & (parts.in_size &- 1))
          let first = min(length, Int(parts.in_size) - start)
          // SAFETY: start and both lengths stay below the size of the input ring.
          target.copyMemory(from: UnsafeRawPointer(ring + start), byteCount: first)
          (target + first).copyMemory(from: UnsafeRawPointer(ring), byteCount: length - first)
          xenabi_compiler_barrier()
          consumed &+= UInt32(truncatingIfNeeded: length)
          xenabi_store_release(parts.in_cons, consumed)  // the copy before the index
          return length
        }
      }
    }

    """
}
