// Access to rings in Rust; the same steps in the same order as CRingRuntime.

enum RustRingRuntime {
  static let text = entries + ends + streams

  private static let entries = """
    //! Rings of requests and responses, and rings of bytes, in pages that two domains share.
    //!
    //! The other end may be hostile: it can write anything to the page at any time. So each end
    //! keeps its own indexes in private memory and never reads them back from the page, an entry is
    //! copied out before anybody looks at it, indexes are masked, and a producer index that claims
    //! more than can be there is `Broken`. After that the only sound step is to disconnect.

    use core::marker::PhantomData;
    use core::ptr;
    use core::sync::atomic::{compiler_fence, fence, AtomicU32, Ordering};

    /// The other end broke the protocol.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Broken;

    /// A type of which any bytes are a value.
    ///
    /// # Safety
    /// The type has no references, no booleans and no enumerations.
    pub unsafe trait Plain: Copy {}

    // SAFETY: bytes.
    unsafe impl<const N: usize> Plain for [u8; N] {}

    const HEADER: usize = 64;
    const REQ_PROD: usize = 0;
    const REQ_EVENT: usize = 1;
    const RSP_PROD: usize = 2;
    const RSP_EVENT: usize = 3;

    /// The number of entries of a ring of so many bytes: the largest power of two that fits.
    pub const fn count(bytes: usize, entry_size: usize) -> u32 {
        if entry_size == 0 || bytes < HEADER || (bytes - HEADER) / entry_size == 0 {
            return 0;
        }
        let room = (bytes - HEADER) / entry_size;
        let mut count = 1;
        while count <= room / 2 {
            count *= 2;
        }
        count as u32
    }

    /// What both ends keep, all of it private.
    struct End {
        page: *mut u8,
        count: u32,
        entry_size: usize,
        produced: u32,
        published: u32,
        consumed: u32,
    }

    impl End {
        fn index(&self, which: usize) -> &AtomicU32 {
            // SAFETY: the page holds the header, aligned, for as long as this end lives (attach).
            unsafe { &*(self.page as *const AtomicU32).add(which) }
        }

        fn entry(&self, index: u32) -> *mut u8 {
            // SAFETY: the index is masked, so the entry lies inside the bytes that attach was given.
            unsafe { self.page.add(HEADER + (index & (self.count - 1)) as usize * self.entry_size) }
        }

        fn write<T: Plain>(&mut self, value: T) {
            let place = self.entry(self.produced) as *mut T;
            // SAFETY: T is no larger than an entry (attach), and the entry is inside the page.
            unsafe { ptr::write_unaligned(place, value) };
            self.produced = self.produced.wrapping_add(1);
        }

        fn read<T: Plain>(&mut self) -> T {
            let place = self.entry(self.consumed) as *const T;
            // SAFETY: as for write; any bytes are a value of T.
            let value = unsafe { ptr::read_unaligned(place) };
            // The shared bytes must not be read a second time later.
            compiler_fence(Ordering::SeqCst);
            self.consumed = self.consumed.wrapping_add(1);
            value
        }

        fn push(&mut self, producer: usize, event: usize) -> bool {
            let (old, now) = (self.published, self.produced);
            self.index(producer).store(now, Ordering::Release); // entries before the index
            self.published = now;
            fence(Ordering::SeqCst); // the index before the look at the event
            let wanted = self.index(event).load(Ordering::Relaxed);
            now.wrapping_sub(wanted) < now.wrapping_sub(old)
        }

        fn wait(&self, producer: usize, event: usize) -> bool {
            let wish = self.consumed.wrapping_add(1);
            self.index(event).store(wish, Ordering::Release);
            fence(Ordering::SeqCst); // the wish before the last look
            self.index(producer).load(Ordering::Acquire) != self.consumed
        }
    }

    """

  private static let ends = """

    /// The end that sends requests.
    pub struct FrontRing<Request: Plain, Response: Plain> {
        end: End,
        types: PhantomData<(Request, Response)>,
    }

    /// The end that answers them.
    pub struct BackRing<Request: Plain, Response: Plain> {
        end: End,
        types: PhantomData<(Request, Response)>,
    }

    fn attach<Request, Response>(page: *mut u8, bytes: usize) -> Option<End> {
        let request = core::mem::size_of::<Request>();
        let response = core::mem::size_of::<Response>();
        let entry_size = if request > response { request } else { response };
        let count = count(bytes, entry_size);
        if count == 0 {
            return None;
        }
        Some(End { page, count, entry_size, produced: 0, published: 0, consumed: 0 })
    }

    impl<Request: Plain, Response: Plain> FrontRing<Request, Response> {
        /// Clears the page's header and describes this end; `None` where no entry fits.
        ///
        /// # Safety
        /// `page` leads to `bytes` bytes, aligned to 4, that stay mapped while the ring lives.
        pub unsafe fn init(page: *mut u8, bytes: usize) -> Option<Self> {
            let end = attach::<Request, Response>(page, bytes)?;
            ptr::write_bytes(page, 0, HEADER);
            end.index(REQ_EVENT).store(1, Ordering::Relaxed);
            end.index(RSP_EVENT).store(1, Ordering::Relaxed);
            Some(Self { end, types: PhantomData })
        }

        /// Requests that can still be put.
        pub fn free(&self) -> u32 {
            self.end.count - self.end.produced.wrapping_sub(self.end.consumed)
        }

        /// Writes a request that `push` will publish; false where there is no room.
        pub fn put(&mut self, request: Request) -> bool {
            if self.free() == 0 {
                return false;
            }
            self.end.write(request);
            true
        }

        /// Publishes what was put; true where the back end wants to be notified.
        pub fn push(&mut self) -> bool {
            self.end.push(REQ_PROD, REQ_EVENT)
        }

        /// Copies out the next response.
        pub fn take(&mut self) -> Result<Option<Response>, Broken> {
            let producer = self.end.index(RSP_PROD).load(Ordering::Acquire);
            let ready = producer.wrapping_sub(self.end.consumed);
            if ready == 0 {
                return Ok(None);
            }
            // More responses than unanswered requests: the back end lies.
            if ready > self.end.published.wrapping_sub(self.end.consumed) {
                return Err(Broken);
            }
            Ok(Some(self.end.read()))
        }

        /// Asks to be notified of the next response; true where one is there already.
        pub fn wait(&self) -> bool {
            self.end.wait(RSP_PROD, RSP_EVENT)
        }
    }

    impl<Request: Plain, Response: Plain> BackRing<Request, Response> {
        /// Describes this end of a ring that the front end has made; `None` where no entry fits.
        ///
        /// # Safety
        /// `page` leads to `bytes` bytes, aligned to 4, that stay mapped while the ring lives.
        pub unsafe fn attach(page: *mut u8, bytes: usize) -> Option<Self> {
            let end = attach::<Request, Response>(page, bytes)?;
            Some(Self { end, types: PhantomData })
        }

        /// Copies out the next request.
        pub fn take(&mut self) -> Result<Option<Request>, Broken> {
            let producer = self.end.index(REQ_PROD).load(Ordering::Acquire);
            let ready = producer.wrapping_sub(self.end.consumed);
            if ready == 0 {
                return Ok(None);
            }
            // More requests than the ring has room for beside the unanswered ones: the front end lies.
            let unanswered = self.end.consumed.wrapping_sub(self.end.produced);
            if ready > self.end.count - unanswered {
                return Err(Broken);
            }
            Ok(Some(self.end.read()))
        }

        /// Writes a response that `push` will publish; false where no request is unanswered.
        pub fn put(&mut self, response: Response) -> bool {
            if self.end.produced == self.end.consumed {
                return false;
            }
            self.end.write(response);
            true
        }

        /// Publishes what was put; true where the front end wants to be notified.
        pub fn push(&mut self) -> bool {
            self.end.push(RSP_PROD, RSP_EVENT)
        }

        /// Asks to be notified of the next request; true where one is there already.
        pub fn wait(&self) -> bool {
            self.end.wait(REQ_PROD, REQ_EVENT)
        }
    }

    """

  private static let streams = """

    /// Where one end finds its two rings of bytes.
    #[derive(Clone, Copy)]
    pub struct StreamParts {
        pub input: *mut u8,
        pub input_size: u32,
        pub in_cons: *mut u32,
        pub in_prod: *mut u32,
        pub output: *mut u8,
        pub output_size: u32,
        pub out_cons: *mut u32,
        pub out_prod: *mut u32,
    }

    /// One end of two rings of bytes, as the console and xenstore use them.
    pub struct Stream {
        parts: StreamParts,
        consumed: u32,
        produced: u32,
    }

    fn load(place: *mut u32) -> u32 {
        // SAFETY: Stream::begin was promised that the indexes are mapped and aligned.
        unsafe { AtomicU32::from_ptr(place) }.load(Ordering::Acquire)
    }

    fn store(place: *mut u32, value: u32) {
        // SAFETY: as for load.
        unsafe { AtomicU32::from_ptr(place) }.store(value, Ordering::Release)
    }

    impl Stream {
        /// Takes over the indexes that the page holds.
        ///
        /// # Safety
        /// The parts stay mapped while the stream lives; both sizes are powers of two.
        pub unsafe fn begin(parts: StreamParts) -> Result<Self, Broken> {
            let consumed = load(parts.in_cons);
            let produced = load(parts.out_prod);
            if load(parts.in_prod).wrapping_sub(consumed) > parts.input_size
                || produced.wrapping_sub(load(parts.out_cons)) > parts.output_size
            {
                return Err(Broken);
            }
            Ok(Self { parts, consumed, produced })
        }

        /// Writes as many bytes as there is room for and returns their number.
        pub fn write(&mut self, data: &[u8]) -> Result<usize, Broken> {
            let size = self.parts.output_size;
            let used = self.produced.wrapping_sub(load(self.parts.out_cons));
            if used > size {
                return Err(Broken);
            }
            fence(Ordering::SeqCst); // the consumer is done with the bytes that are written next
            let length = data.len().min((size - used) as usize);
            let start = (self.produced & (size - 1)) as usize;
            let first = length.min(size as usize - start);
            // SAFETY: start and both lengths stay below the size of the output ring.
            unsafe {
                ptr::copy_nonoverlapping(data.as_ptr(), self.parts.output.add(start), first);
                ptr::copy_nonoverlapping(data.as_ptr().add(first), self.parts.output, length - first);
            }
            self.produced = self.produced.wrapping_add(length as u32);
            store(self.parts.out_prod, self.produced); // bytes before the index
            Ok(length)
        }

        /// Copies out as many bytes as there are and returns their number.
        pub fn read(&mut self, data: &mut [u8]) -> Result<usize, Broken> {
            let size = self.parts.input_size;
            let ready = load(self.parts.in_prod).wrapping_sub(self.consumed);
            if ready > size {
                return Err(Broken);
            }
            let length = data.len().min(ready as usize);
            let start = (self.consumed & (size - 1)) as usize;
            let first = length.min(size as usize - start);
            // SAFETY: start and both lengths stay below the size of the input ring.
            unsafe {
                ptr::copy_nonoverlapping(self.parts.input.add(start), data.as_mut_ptr(), first);
                ptr::copy_nonoverlapping(
                    self.parts.input,
                    data.as_mut_ptr().add(first),
                    length - first,
                );
            }
            compiler_fence(Ordering::SeqCst);
            self.consumed = self.consumed.wrapping_add(length as u32);
            store(self.parts.in_cons, self.consumed); // the copy before the index
            Ok(length)
        }
    }

    """
}
