//! Disks. A request is handed in and comes back through its `done`; it survives the backend's end and
//! return in between. Data is copied through pages of the driver's own, so that a backend never sees or
//! changes what stands beside it, and a page that a backend does not let go of is none of the caller's.
//!
//! ```text
//!     submit --> waiting --+--> piece, pages, slot --> ring --> backend
//!                retry ----'        |                             |
//!                  ^                '<-------- response ----------'
//!                  '--- pieces that were under way when the backend went
//! ```
//!
//! A request becomes pieces, each of which fits into one ring request. A piece is issued in a slot of a
//! queue, and its id names slot and serial number: a response is only believed if its id is that of the
//! piece in the slot, so that one that is made up, doubled or late finds nothing. Then the device is
//! closed and connected anew, and what was under way is issued again: reads and writes bear that.
//!
//! Each piece has as many pages of the pool as its data needs. Without persistent grants they are granted
//! for the one request; a page that the backend keeps leaves the pool for the queue of `grants.rs`, and
//! the pool gets another. With them, a page is granted once for each connection.

pub use crate::block_connect::Disks;
use crate::block_piece::{has_data, Entry, Piece, PoolPage};
use crate::bus::{Device, Phase};
use crate::error::{Error, Result};
use crate::events::{Handler, OwnPort};
use crate::memory::Array;
use crate::shared::Ring;
use crate::system::{Port, System, SECOND};
use core::cell::{Cell, RefCell};
use core::ffi::c_void;
use core::ptr::NonNull;
use xenabi::blkif_response;
use xenabi::ring::Broken;

/// Bytes of a sector.
pub const SECTOR: usize = 512;
/// Queues that a disk can have.
pub const QUEUES_MAX: usize = 8;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Disk to memory.
    Read,
    /// Memory to disk.
    Write,
    /// After all before it, before all after it; may have no data.
    WriteBarrier,
    /// What has been answered becomes durable.
    Flush,
    /// The sectors' contents are of no use any more.
    Discard,
    /// And must be unrecoverable.
    DiscardSecure,
}

/// A request. Belongs to the caller, who leaves it alone from `submit` until `done`.
pub struct Request {
    /// What is to be done.
    pub operation: Operation,
    /// Where: in sectors.
    pub sector: u64,
    /// How many sectors.
    pub count: u64,
    /// So many sectors of memory.
    pub data: *mut u8,
    /// Event or driver context. May submit again.
    pub done: fn(&mut Request),
    /// The caller's.
    pub context: *mut c_void,
    /// What came of it.
    pub result: Result<()>,
    pub(crate) next: Option<NonNull<Request>>,
    pub(crate) issued: u64,
    pub(crate) left: u64,
}

impl Request {
    /// A request of some sectors.
    pub const fn new(operation: Operation, sector: u64, count: u64, data: *mut u8) -> Self {
        let context = core::ptr::null_mut();
        let done = |_: &mut Request| {};
        Request { operation, sector, count, data, done, context, result: Ok(()), next: None, issued: 0, left: 0 }
    }
}

/// What to ask for; what the backend does not offer is left out.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Options {
    pub flush: bool,
    pub barrier: bool,
    pub discard: bool,
    pub persistent: bool,
    /// Segments of 4 KiB in a request, up to 512; 0: plain requests of 11.
    pub indirect_segments: u32,
    /// Binary logarithm of the pages of a ring, up to 4.
    pub ring_order: u32,
    /// Up to 8.
    pub queues: u32,
    /// For data under way.
    pub pool_pages: u32,
    /// Of a request over faults of the backend, before it fails.
    pub tries: u32,
    /// Nanoseconds until an answer counts as lost.
    pub request_timeout: u64,
    /// Nanoseconds that requests wait for a backend to return.
    pub reconnect_timeout: u64,
}

impl Options {
    /// Everything, in moderate sizes.
    pub const DEFAULT: Options = Options {
        flush: true,
        barrier: true,
        discard: true,
        persistent: true,
        indirect_segments: 32,
        ring_order: 1,
        queues: 1,
        pool_pages: 128,
        tries: 3,
        request_timeout: 30 * SECOND,
        reconnect_timeout: 60 * SECOND,
    };
}

/// What is known of a disk at the present connection.
#[derive(Clone, Copy, Default)]
#[allow(missing_docs)]
pub struct Info {
    pub sectors: u64,
    pub read_only: bool,
    pub removable: bool,
    pub cdrom: bool,
    pub flush: bool,
    pub barrier: bool,
    pub discard: bool,
    pub discard_secure: bool,
    pub persistent: bool,
    /// In bytes.
    pub discard_granularity: u32,
    /// In bytes.
    pub discard_alignment: u32,
    pub segments_max: u32,
    pub ring_order: u32,
    pub queue_count: u32,
}

/// Who has the disks. Driver context.
pub trait Owner: Sync {
    /// What to ask for, of disks found from now on.
    fn options(&self) -> Options {
        Options::DEFAULT
    }
    /// A disk can be used, first and after each reconnection.
    fn ready(&self, block: &'static Block);
    /// One that was ready before is about to be dropped.
    fn gone(&self, block: &Block);
}

pub(crate) struct Queue {
    pub port: OwnPort,
    pub ring: Ring<Entry, blkif_response>,
    /// The piece that is under way in each.
    pub slots: Array<Option<usize>>,
    pub under_way: u32,
}

/// What changes all the time. Never borrowed while a request's `done` runs, or the system waits.
pub(crate) struct Own {
    pub usable: bool,
    pub dispatching: bool,
    pub gone: bool,
    pub queues: [Option<Queue>; QUEUES_MAX],
    pub next_queue: usize,
    pub under_way: u32,
    pub serial: u64,
    pub progress: u64,
    /// Waiting: the first and the last.
    pub first: Option<NonNull<Request>>,
    pub last: Option<NonNull<Request>>,
    /// Goes alone until it is answered.
    pub barrier: Option<NonNull<Request>>,
    pub pieces: Array<Piece>,
    pub retry: Option<usize>,
    pub free_pieces: Option<usize>,
    pub pages: Array<PoolPage>,
    pub pool: Option<usize>,
    /// The backend may still use them.
    pub limbo: Option<usize>,
}

/// A disk.
pub struct Block {
    /// What all devices have.
    pub device: Device,
    pub(crate) owner: &'static dyn Owner,
    pub(crate) options: Cell<Options>,
    pub(crate) info: Cell<Info>,
    pub(crate) own: RefCell<Own>,
}

/// A request that came to its end, whose `done` is due.
pub(crate) type Finished = Option<NonNull<Request>>;

enum Step {
    Nothing,
    Issued,
    Ended(Finished),
}

/// Requests.
impl Own {
    /// Counts a part as done. Parts without data count as one.
    pub fn account(&mut self, place: NonNull<Request>, count: u64, result: Result<()>) -> Finished {
        // SAFETY: a request that was submitted is left alone by its caller until `done`.
        let request = unsafe { &mut *place.as_ptr() };
        request.result = request.result.and(result);
        request.left -= count.max(1);
        if request.left != 0 {
            return None;
        }
        self.barrier = self.barrier.filter(|barrier| *barrier != place);
        Some(place)
    }

    fn queue_with_room(&mut self, count: usize) -> Option<usize> {
        for _ in 0..count {
            let index = self.next_queue % count;
            self.next_queue = index + 1;
            let queue = self.queues[index].as_ref()?;
            if queue.under_way < queue.ring.count() && queue.ring.free() != 0 {
                return Some(index);
            }
        }
        None
    }

    /// Turns the head of the waiting requests, or of the retries, into a piece; `None`: nothing may go
    /// now. The head is left in place: `issued` takes off what has gone.
    fn next_piece(&mut self, info: &Info) -> Option<usize> {
        if let Some(retry) = self.retry {
            let piece = self.take_piece()?;
            self.pieces[piece] = self.pieces[retry];
            self.pieces[piece].operation = self.pieces[retry].operation_for(info);
            return Some(piece);
        }
        let place = self.first?;
        // SAFETY: it waits, so that its caller leaves it alone.
        let request = unsafe { &*place.as_ptr() };
        if self.barrier.is_some_and(|barrier| barrier != place) {
            return None;
        }
        if request.operation == Operation::WriteBarrier && self.barrier.is_none() {
            if self.under_way != 0 {
                return None; // the frontend itself waits, as queues know nothing of each other
            }
            self.barrier = Some(place);
        }
        let piece = self.take_piece()?;
        self.pieces[piece] = Piece::of(place, request, info);
        Some(piece)
    }

    fn issued(&mut self, piece: usize) {
        let (count, operation) = (self.pieces[piece].count, self.pieces[piece].operation);
        if let Some(place) = self.retry {
            let retry = &mut self.pieces[place];
            retry.sector += count;
            if has_data(operation) {
                retry.data = retry.data.wrapping_add(count as usize * SECTOR);
            }
            retry.count -= count;
            if retry.count == 0 {
                self.retry = retry.next;
                self.put_piece(place);
            }
        } else if let Some(place) = self.first {
            // SAFETY: it waits, so that its caller leaves it alone.
            let request = unsafe { &mut *place.as_ptr() };
            request.issued += count;
            if request.issued == request.count {
                self.first = request.next;
                self.last = self.last.filter(|_| self.first.is_some());
            }
        }
    }

    /// What this backend does not offer is answered here.
    fn answer_here(&self, piece: usize, info: &Info) -> Option<Result<()>> {
        let piece = &self.pieces[piece];
        let offered = match piece.operation {
            xenabi::BLKIF_OP_FLUSH_DISKCACHE => info.flush,
            xenabi::BLKIF_OP_DISCARD if piece.is_secure() => info.discard_secure,
            xenabi::BLKIF_OP_DISCARD => info.discard,
            // A barrier without data: all before it has been answered, nothing has gone since.
            xenabi::BLKIF_OP_WRITE if piece.count == 0 => return Some(Ok(())),
            _ => true,
        };
        (!offered).then_some(Err(Error::NOT_SUPPORTED))
    }

    fn step(&mut self, block: &Block) -> Step {
        let info = block.info.get();
        let Some(queue) = self.queue_with_room(info.queue_count as usize) else { return Step::Nothing };
        let Some(piece) = self.next_piece(&info) else { return Step::Nothing };
        if let Some(result) = self.answer_here(piece, &info) {
            self.issued(piece);
            return Step::Ended(self.end_piece(block, piece, result));
        }
        if has_data(self.pieces[piece].operation) && !self.take_pages(block, piece) {
            self.put_piece(piece);
            return Step::Nothing;
        }
        self.issue(block, queue, piece);
        self.issued(piece);
        Step::Issued
    }
}

/// Responses.
impl Own {
    /// Believes a response only if it is the answer to what stands in the slot that it names.
    fn response(
        &mut self, block: &Block, index: usize, answer: &blkif_response,
    ) -> core::result::Result<Finished, Broken> {
        let queue = self.queues[index].as_mut().ok_or(Broken)?;
        let slot = queue.slots.get_mut(answer.id as u32 as usize).ok_or(Broken)?;
        let place = slot.filter(|place| self.pieces[*place].id == answer.id).ok_or(Broken)?;
        let piece = &self.pieces[place];
        let is_indirect = piece.indirect && answer.operation == xenabi::BLKIF_OP_INDIRECT;
        if answer.operation != piece.operation && !is_indirect {
            return Err(Broken);
        }
        *slot = None;
        queue.under_way -= 1;
        self.under_way -= 1;
        self.progress = block.device.system().time();
        let result = match answer.status {
            xenabi::BLKIF_RSP_OKAY => Ok(()),
            xenabi::BLKIF_RSP_EOPNOTSUPP => Err(Error::NOT_SUPPORTED),
            _ => Err(Error::IO),
        };
        if result == Err(Error::NOT_SUPPORTED) && block.without_feature(piece) {
            self.pages_done(block, place);
            self.put_retry(place);
            return Ok(None);
        }
        if result.is_ok() && piece.operation == xenabi::BLKIF_OP_READ {
            self.copy_out(place);
        }
        Ok(self.end_piece(block, place, result))
    }

    fn take(
        &mut self, block: &Block, index: usize,
    ) -> core::result::Result<Option<Finished>, Broken> {
        let Some(queue) = self.queues[index].as_mut() else { return Ok(None) };
        match queue.ring.take()? {
            Some(answer) => self.response(block, index, &answer).map(Some),
            None => Ok(None),
        }
    }
}

impl Handler for Block {
    fn event(&self, port: Port) {
        let own = self.own.borrow();
        let mine = |queue: &Option<Queue>| queue.as_ref().is_some_and(|queue| queue.port.port() == port);
        let index = own.queues.iter().position(mine);
        drop(own);
        if let Some(index) = index {
            self.run_queue(index);
        }
    }
}

impl Block {
    pub(crate) fn finish(&self, finished: Finished) {
        if let Some(place) = finished {
            // SAFETY: nothing here leads to it any more; it is the caller's again.
            let request = unsafe { &mut *place.as_ptr() };
            (request.done)(request);
        }
    }

    pub(crate) fn change_info(&self, change: impl FnOnce(&mut Info)) {
        let mut info = self.info.get();
        change(&mut info);
        self.info.set(info);
    }

    /// A feature that was offered and does not work is left out from now on. True: try otherwise.
    fn without_feature(&self, piece: &Piece) -> bool {
        let mut again = true;
        self.change_info(|info| match piece.operation {
            _ if piece.indirect => info.segments_max = xenabi::BLKIF_MAX_SEGMENTS_PER_REQUEST,
            // As a plain write, in whose place it still goes alone.
            xenabi::BLKIF_OP_WRITE_BARRIER => info.barrier = false,
            operation => {
                again = false;
                info.flush &= operation != xenabi::BLKIF_OP_FLUSH_DISKCACHE;
                info.discard &= operation != xenabi::BLKIF_OP_DISCARD;
                info.discard_secure &= operation != xenabi::BLKIF_OP_DISCARD;
            }
        });
        again
    }

    /// Issues as much as there is room for. Any context.
    pub(crate) fn dispatch(&self) {
        let mut own = self.own.borrow_mut();
        if !own.usable || own.dispatching || self.device.is_faulty().is_some() {
            return;
        }
        own.dispatching = true;
        loop {
            match own.step(self) {
                Step::Nothing => break,
                Step::Issued => {}
                Step::Ended(finished) => {
                    drop(own);
                    self.finish(finished);
                    own = self.own.borrow_mut();
                }
            }
        }
        own.dispatching = false;
        for queue in own.queues.iter_mut().flatten() {
            queue.ring.push(&queue.port);
        }
    }

    fn is_usable(&self) -> bool {
        self.own.borrow().usable && self.device.is_faulty().is_none()
    }

    /// Event context; and each poll.
    pub(crate) fn run_queue(&self, index: usize) {
        if !self.is_usable() {
            return;
        }
        let mut budget = self.own.borrow().queues[index].as_ref().map_or(0, |queue| queue.ring.count());
        loop {
            if budget == 0 {
                self.device.system().wake();
                break;
            }
            budget -= 1;
            let taken = self.own.borrow_mut().take(self, index);
            match taken {
                Ok(Some(finished)) => self.finish(finished),
                Ok(None) => break,
                Err(Broken) => {
                    self.own.borrow_mut().usable = false;
                    self.device.fault("block: impossible response");
                    break;
                }
            }
        }
        self.dispatch();
    }

    /// Ends everything that waits.
    pub(crate) fn fail_all(&self, error: Error) {
        let mut own = self.own.borrow_mut();
        let (mut first, mut retry) = (own.first.take(), own.retry.take());
        own.last = None;
        while let Some(place) = first {
            // SAFETY: it waits, so that its caller leaves it alone.
            let request = unsafe { &*place.as_ptr() };
            first = request.next;
            // Pieces of it under way end by themselves; what has not gone is counted here.
            let finished = own.account(place, request.count - request.issued, Err(error));
            drop(own);
            self.finish(finished);
            own = self.own.borrow_mut();
        }
        while let Some(piece) = retry {
            retry = own.pieces[piece].next;
            let finished = own.end_piece(self, piece, Err(error));
            drop(own);
            self.finish(finished);
            own = self.own.borrow_mut();
        }
    }
}

/// For callers.
impl Block {
    /// What is known of the disk.
    pub fn info(&self) -> Info {
        self.info.get()
    }

    fn check(&self, request: &Request) -> Result<()> {
        let (info, operation) = (self.info.get(), request.operation);
        let is_empty = request.count == 0 && !matches!(operation, Operation::WriteBarrier | Operation::Flush);
        if is_empty || request.count > u64::MAX / SECTOR as u64 {
            return Err(Error::INVALID);
        }
        // Before the first connection nothing is known yet: the backend judges.
        if self.device.connections() != 0 {
            if request.count > info.sectors || request.sector > info.sectors - request.count {
                return Err(Error::INVALID);
            }
            if info.read_only && !matches!(operation, Operation::Read | Operation::Flush) {
                return Err(Error::READ_ONLY);
            }
        }
        let offered = match operation {
            Operation::Flush => info.flush,
            Operation::Discard => info.discard,
            Operation::DiscardSecure => info.discard_secure,
            _ => true,
        };
        let is_known = self.device.phase() == Phase::Running;
        if is_known && !offered { Err(Error::NOT_SUPPORTED) } else { Ok(()) }
    }

    /// `Ok`: `done` will be called, perhaps has been. An error: it was refused, and `done` is not called.
    /// Any context.
    ///
    /// # Safety
    /// Request and data stay in place, and nobody else uses them, until `done`; the data is as long as
    /// the request says.
    pub unsafe fn submit(&self, place: NonNull<Request>) -> Result<()> {
        // SAFETY: it is the caller's, who gives it to us.
        let request = unsafe { &mut *place.as_ptr() };
        let mut own = self.own.borrow_mut();
        if own.gone {
            return Err(Error::NO_DEVICE);
        }
        if request.operation == Operation::Flush {
            (request.sector, request.count) = (0, 0);
        }
        self.check(request)?;
        request.result = Ok(());
        request.issued = 0;
        request.left = request.count.max(1);
        request.next = None;
        if own.first.is_none() && own.retry.is_none() && own.under_way == 0 {
            own.progress = self.device.system().time();
        }
        match own.last.replace(place) {
            // SAFETY: the last one waits, so that its caller leaves it alone.
            Some(last) => unsafe { (*last.as_ptr()).next = Some(place) },
            None => own.first = Some(place),
        }
        drop(own);
        self.dispatch();
        Ok(())
    }

    /// Submits and waits. Driver context.
    ///
    /// # Safety
    /// The data is there, and as long as the request says.
    pub unsafe fn wait(&self, request: &mut Request) -> Result<()> {
        struct Waiter(Cell<bool>, &'static dyn System);
        fn wake(request: &mut Request) {
            // SAFETY: `wait` has it on its stack until this has been called.
            let Waiter(is_done, system) = unsafe { &*request.context.cast::<Waiter>() };
            is_done.set(true);
            system.wake();
        }
        let (bus, system) = (self.device.bus, self.device.system());
        let waiter = Waiter(Cell::new(false), system);
        request.done = wake;
        request.context = (&raw const waiter).cast_mut().cast();
        let place = NonNull::from(request);
        // SAFETY: this function comes back after `done` alone.
        unsafe { self.submit(place)? };
        while !waiter.0.get() {
            system.wait(system.time() + SECOND);
            bus.poll(); // after which the disk may be gone: nothing of it is touched
        }
        // SAFETY: it is ours again.
        unsafe { (*place.as_ptr()).result }
    }

    /// Reads sectors, of which the data holds a whole number. Driver context.
    pub fn read(&self, sector: u64, data: &mut [u8]) -> Result<()> {
        let count = (data.len() / SECTOR) as u64;
        // SAFETY: the data is so long.
        unsafe { self.wait(&mut Request::new(Operation::Read, sector, count, data.as_mut_ptr())) }
    }

    /// Writes sectors, of which the data holds a whole number. Driver context.
    pub fn write(&self, sector: u64, data: &[u8]) -> Result<()> {
        let (count, data) = ((data.len() / SECTOR) as u64, data.as_ptr().cast_mut());
        // SAFETY: the data is so long, and a write changes none of it.
        unsafe { self.wait(&mut Request::new(Operation::Write, sector, count, data)) }
    }

    /// What has been written becomes durable. Driver context.
    pub fn flush(&self) -> Result<()> {
        // SAFETY: there is no data.
        unsafe { self.wait(&mut Request::new(Operation::Flush, 0, 0, core::ptr::null_mut())) }
    }
}
