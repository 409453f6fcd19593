//! xg_block.h

use crate::bus;
use crate::layout::{Device, Driver};
use crate::{os::CSystem, status};
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::ptr::NonNull;
use xenfront::block::{self, Disks, Operation, Owner, Request};
use xenfront::error::Error;
use xenfront::system::System;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Options {
    flush: bool,
    barrier: bool,
    discard: bool,
    persistent: bool,
    indirect_segments: u32,
    ring_order: u32,
    queues: u32,
    pool_pages: u32,
    tries: u32,
    request_timeout: u64,
    reconnect_timeout: u64,
}

#[repr(C)]
pub struct Block {
    device: Device,
    options: Options,
    sectors: u64,
    read_only: bool,
    removable: bool,
    cdrom: bool,
    flush: bool,
    barrier: bool,
    discard: bool,
    discard_secure: bool,
    persistent: bool,
    discard_granularity: u32,
    discard_alignment: u32,
    segments_max: u32,
    ring_order: u32,
    queue_count: u32,
    own: *const block::Block,
}

#[repr(C)]
pub struct CRequest {
    operation: u32,
    sector: u64,
    count: u64,
    data: *mut c_void,
    done: Option<unsafe extern "C" fn(*mut CRequest)>,
    context: *mut c_void,
    result: c_int,
    next: *mut CRequest,
    issued: u64,
    left: u64,
}

type Hook = Option<unsafe extern "C" fn(*mut Block)>;

#[no_mangle]
pub static xg_block_driver: Driver = Driver::named(c"vbd");
#[no_mangle]
pub static mut xg_block_defaults: Options = {
    let all = block::Options::DEFAULT;
    Options {
        flush: all.flush,
        barrier: all.barrier,
        discard: all.discard,
        persistent: all.persistent,
        indirect_segments: all.indirect_segments,
        ring_order: all.ring_order,
        queues: all.queues,
        pool_pages: all.pool_pages,
        tries: all.tries,
        request_timeout: all.request_timeout,
        reconnect_timeout: all.reconnect_timeout,
    }
};
#[no_mangle]
pub static mut xg_block_ready: Hook = None;
#[no_mangle]
pub static mut xg_block_gone: Hook = None;

pub static DISKS: Disks = Disks(&COwner);

struct COwner;

fn defaults() -> Options {
    // SAFETY: C writes it before it starts the bus, or between calls.
    unsafe { (&raw const xg_block_defaults).read() }
}

impl Owner for COwner {
    fn options(&self) -> block::Options {
        let want = defaults();
        block::Options {
            flush: want.flush,
            barrier: want.barrier,
            discard: want.discard,
            persistent: want.persistent,
            indirect_segments: want.indirect_segments,
            ring_order: want.ring_order,
            queues: want.queues,
            pool_pages: want.pool_pages,
            tries: want.tries,
            request_timeout: want.request_timeout,
            reconnect_timeout: want.reconnect_timeout,
        }
    }

    fn ready(&self, found: &'static block::Block) {
        let device = &found.device;
        if device.context.get().is_null() {
            let Some(place) = CSystem.alloc(size_of::<Block>()) else { return };
            let place = place.cast::<Block>().as_ptr();
            // SAFETY: zeroed memory is one, and it is ours.
            unsafe {
                (*place).options = defaults();
                (*place).own = found;
                bus::introduce(place.cast(), &raw const xg_block_driver, device);
            }
            device.context.set(place.cast());
        }
        bus::show(device);
        // SAFETY: C's hook, with its disk.
        unsafe {
            if let Some(ready) = (&raw const xg_block_ready).read() {
                ready(device.context.get().cast());
            }
        }
    }

    fn gone(&self, block: &block::Block) {
        let place = block.device.context.replace(core::ptr::null_mut());
        let Some(memory) = NonNull::new(place.cast::<u8>()) else { return };
        // SAFETY: C's hook, with its disk, which nobody uses after.
        unsafe {
            if let Some(gone) = (&raw const xg_block_gone).read() {
                gone(place.cast());
            }
            CSystem.free(memory, size_of::<Block>());
        }
    }
}

/// Shows what is known of a disk.
pub fn show(place: *mut Device) {
    // SAFETY: `bus::show` asks for disks alone, with C's place.
    let c = unsafe { &mut *place.cast::<Block>() };
    // SAFETY: the disk in Rust is there as long as C's is.
    let info = unsafe { (*c.own).info() };
    c.sectors = info.sectors;
    c.read_only = info.read_only;
    c.removable = info.removable;
    c.cdrom = info.cdrom;
    c.flush = info.flush;
    c.barrier = info.barrier;
    c.discard = info.discard;
    c.discard_secure = info.discard_secure;
    c.persistent = info.persistent;
    c.discard_granularity = info.discard_granularity;
    c.discard_alignment = info.discard_alignment;
    c.segments_max = info.segments_max;
    c.ring_order = info.ring_order;
    c.queue_count = info.queue_count;
}

/// Requests under way, each with the one of C's that it stands for.
const UNDER_WAY: usize = 256;
struct Pool(UnsafeCell<[(Request, *mut CRequest); UNDER_WAY]>);
// SAFETY: one function of the frontends runs at a time.
unsafe impl Sync for Pool {}
static POOL: Pool = Pool(UnsafeCell::new(
    [const { (Request::new(Operation::Flush, 0, 0, core::ptr::null_mut()), core::ptr::null_mut()) };
        UNDER_WAY],
));

fn operation(number: u32) -> Operation {
    match number {
        0 => Operation::Read,
        1 => Operation::Write,
        2 => Operation::WriteBarrier,
        3 => Operation::Flush,
        4 => Operation::Discard,
        _ => Operation::DiscardSecure,
    }
}

unsafe fn request_of(c: *mut CRequest) -> Request {
    // SAFETY: C's request, which it leaves to us.
    unsafe {
        if operation((*c).operation) == Operation::Flush {
            ((*c).sector, (*c).count) = (0, 0);
        }
        (*c).result = 0;
        Request::new(operation((*c).operation), (*c).sector, (*c).count, (*c).data.cast())
    }
}

fn done(request: &mut Request) {
    let place: *mut (Request, *mut CRequest) = request.context.cast();
    let result = status(request.result);
    // SAFETY: the context is the place in the pool, and C's request is there until this is called.
    unsafe {
        let c = core::mem::replace(&mut (*place).1, core::ptr::null_mut());
        (*c).result = result;
        if let Some(done) = (*c).done {
            done(c);
        }
    }
}

#[no_mangle]
unsafe extern "C" fn xg_block_submit(block: *mut Block, c: *mut CRequest) -> c_int {
    let pool = POOL.0.get().cast::<(Request, *mut CRequest)>();
    // SAFETY: places of the pool, each of which is either vacant or under way; C's disk and request.
    unsafe {
        let own = &*(*block).own;
        let Some(place) = (0..UNDER_WAY).map(|index| pool.add(index)).find(|place| (**place).1.is_null())
        else {
            return -Error::NO_MEMORY.number();
        };
        (*place).0 = request_of(c);
        (*place).0.done = done;
        (*place).0.context = place.cast();
        (*place).1 = c;
        let result = own.submit(NonNull::new_unchecked(&raw mut (*place).0));
        if result.is_err() {
            (*place).1 = core::ptr::null_mut();
        }
        crate::bus::show_all();
        status(result)
    }
}

#[no_mangle]
unsafe extern "C" fn xg_block_wait(block: *mut Block, c: *mut CRequest) -> c_int {
    // SAFETY: C's disk and request.
    let result = unsafe { (*(*block).own).wait(&mut request_of(c)) };
    // SAFETY: as above.
    unsafe { (*c).result = status(result) };
    bus::show_all();
    status(result)
}
