//! The driver's life: it writes a pattern over its first disk, flushes, reads it back and compares every
//! byte. Make it yours from here. Words of the kernel's command line:
//!
//! ```text
//!   mib=N                          so much of the disk (64), or all of it where it is smaller
//!   disk=N                         that disk (51712 is xvda, 51728 xvdb)
//!   written                        an earlier run has left the pattern: only read and compare
//!   no-persistent, no-indirect, no-flush, no-discard       features that are not asked for
//!   queues=N, ring-order=N         rings, and the binary logarithm of the pages of each
//! ```

use super::life;
use super::os::Kernel;
use crate::println;
use core::cell::{Cell, UnsafeCell};
use core::ptr::NonNull;
use xenfront::block::{Block, Disks, Operation, Options, Owner, Request, SECTOR};
use xenfront::bus::Kind;
use xenfront::error::Result;
use xenfront::memory::Pages;
use xenfront::system::{System, PAGE, SECOND};

const CHUNK: usize = 65536;
const CHUNK_SECTORS: u64 = (CHUNK / SECTOR) as u64;
const UNDER_WAY: usize = 8;
const LONGEST: u64 = 120 * SECOND;
const MILLISECOND: u64 = SECOND / 1000;

/// Has the first disk.
struct Life(Cell<Option<&'static Block>>);
// SAFETY: there is one processor, and no event's handler looks at it.
unsafe impl Sync for Life {}

static LIFE: Life = Life(Cell::new(None));
static DISKS: Disks = Disks(&LIFE);
static KINDS: [&dyn Kind; 1] = [&DISKS];

impl Owner for Life {
    fn options(&self) -> Options {
        let all = Options::DEFAULT;
        Options {
            persistent: !life::has("no-persistent"),
            flush: !life::has("no-flush"),
            discard: !life::has("no-discard"),
            indirect_segments: if life::has("no-indirect") { 0 } else { all.indirect_segments },
            queues: life::number("queues=", 1) as u32,
            ring_order: life::number("ring-order=", 1) as u32,
            ..all
        }
    }

    fn ready(&self, block: &'static Block) {
        let wanted = life::number("disk=", block.device.id.into());
        if self.0.get().is_none() && wanted == block.device.id.into() {
            self.0.set(Some(block));
        }
    }

    fn gone(&self, block: &Block) {
        if self.0.get().is_some_and(|mine| core::ptr::eq(mine, block)) {
            self.0.set(None);
        }
    }
}

/// What went wrong.
#[derive(Default)]
struct Tally {
    errors: Cell<u32>,
    bad_chunks: Cell<u32>,
}

/// A request and its memory.
struct Transfer<'a> {
    request: UnsafeCell<Request>,
    data: NonNull<u8>,
    busy: Cell<bool>,
    tally: &'a Tally,
}

fn more(counter: &Cell<u32>) {
    counter.set(counter.get() + 1);
}

/// The bytes of each sector follow from its number.
fn word_of(sector: u64, index: usize) -> u64 {
    let number = sector.wrapping_mul((SECTOR / 8) as u64).wrapping_add(index as u64 + 1);
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Transfer<'_> {
    /// The data, while no request is under way.
    fn words(&self) -> &[Cell<u64>] {
        // SAFETY: the pages are there as long as the transfer is, and nobody has a reference to write by.
        unsafe { core::slice::from_raw_parts(self.data.as_ptr().cast(), CHUNK / 8) }
    }

    fn submit(&self, block: &Block, operation: Operation, chunk: u64) {
        let sector = chunk * CHUNK_SECTORS;
        for (index, word) in self.words().iter().enumerate() {
            word.set(if operation == Operation::Write { word_of(sector, index) } else { 0 });
        }
        let mut request = Request::new(operation, sector, CHUNK_SECTORS, self.data.as_ptr());
        request.context = (&raw const *self).cast_mut().cast();
        request.done = done;
        self.busy.set(true);
        // SAFETY: the transfer stays in place, and is left alone, until `busy` is no more.
        let result = unsafe {
            *self.request.get() = request;
            block.submit(NonNull::new_unchecked(self.request.get()))
        };
        if result.is_err() {
            self.busy.set(false);
            more(&self.tally.errors);
        }
    }
}

fn done(request: &mut Request) {
    // SAFETY: the context is the transfer, which waits for this.
    let transfer = unsafe { &*request.context.cast::<Transfer>() };
    let matches = || {
        let mut words = transfer.words().iter().enumerate();
        words.all(|(index, word)| word.get() == word_of(request.sector, index))
    };
    if request.result.is_err() {
        more(&transfer.tally.errors);
    } else if request.operation == Operation::Read && !matches() {
        more(&transfer.tally.bad_chunks);
    }
    transfer.busy.set(false);
}

/// Goes over the disk with some requests at a time.
fn whole_disk(block: &Block, transfers: &[Transfer], operation: Operation, chunks: u64) {
    let began = Kernel.time();
    let any_idle = || transfers.iter().any(|transfer| !transfer.busy.get());
    let mut chunk = 0;
    while chunk < chunks && life::until(any_idle, LONGEST) {
        for transfer in transfers.iter().filter(|transfer| !transfer.busy.get()) {
            if chunk < chunks {
                transfer.submit(block, operation, chunk);
                chunk += 1;
            }
        }
    }
    // One that is still under way writes into memory that is going to be given back.
    while !life::until(|| transfers.iter().all(|transfer| !transfer.busy.get()), LONGEST) {
        println!("a request has no answer");
    }
    let what = if operation == Operation::Write { "wrote" } else { "read" };
    let milliseconds = (Kernel.time() - began) / MILLISECOND;
    println!("{what} {} KiB in {milliseconds} ms", chunk * CHUNK as u64 / 1024);
}

fn tell(block: &Block) {
    let info = block.info();
    let (sectors, queues, order, segments) = (info.sectors, info.queue_count, info.ring_order, info.segments_max);
    let text = |has: bool, text: &'static str| if has { text } else { "" };
    println!(
        "{sectors} sectors, {queues} queues, order {order}, {segments} segments{}{}{}{}{}",
        text(info.persistent, ", persistent"),
        text(info.flush, ", flush"),
        text(info.barrier, ", barrier"),
        text(info.discard, ", discard"),
        text(info.read_only, ", read-only"),
    );
}

/// Requests without data, over what is written next: nothing of them may show afterwards.
fn prepare(block: &Block, chunks: u64) {
    if block.info().discard && chunks != 0 {
        let count = chunks * CHUNK_SECTORS;
        let mut discard = Request::new(Operation::Discard, 0, count, core::ptr::null_mut());
        // SAFETY: a discard has no data.
        life::check("discard", unsafe { block.wait(&mut discard) }.is_ok());
    }
}

fn work(block: &Block) -> Result<()> {
    let tally = Tally::default();
    let info = block.info();
    let chunks = life::number("mib=", 64).saturating_mul((1048576 / CHUNK) as u64);
    let chunks = chunks.min(info.sectors / CHUNK_SECTORS);
    let only_read = info.read_only || life::has("written");
    let memory = Pages::new(&Kernel, UNDER_WAY * CHUNK / PAGE)?;
    let transfers: [Transfer; UNDER_WAY] = core::array::from_fn(|index| Transfer {
        request: UnsafeCell::new(Request::new(Operation::Flush, 0, 0, core::ptr::null_mut())),
        data: memory.page(index * CHUNK / PAGE),
        busy: Cell::new(false),
        tally: &tally,
    });
    if !only_read {
        prepare(block, chunks);
        whole_disk(block, &transfers, Operation::Write, chunks);
        if info.flush {
            life::check("flush", block.flush().is_ok());
        }
    }
    whole_disk(block, &transfers, Operation::Read, chunks);
    life::check("no errors", tally.errors.get() == 0);
    // A disk that cannot be written holds the pattern only if somebody says so.
    if !only_read || life::has("written") {
        life::check("every byte as written", tally.bad_chunks.get() == 0);
    }
    Ok(())
}

/// Comes back when the work is done, or with an error if it cannot begin or a check failed.
pub fn run() -> Result<()> {
    life::start(&KINDS)?;
    life::check("a disk", life::until(|| LIFE.0.get().is_some(), 30 * SECOND));
    if let Some(block) = LIFE.0.get() {
        tell(block);
        work(block)?;
    }
    life::end()
}
