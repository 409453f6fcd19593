//! The porting layer: everything that the frontends want of the system around them. A system that
//! implements [`System`] has the drivers; nothing else of the system is called.

use crate::error::Result;
use core::ffi::c_void;
use core::num::NonZeroU32;
use core::ptr::NonNull;

/// Bytes of a page.
pub const PAGE: usize = xenabi::XEN_PAGE_SIZE as usize;
/// A second, in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// The number of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Domain(pub u16);

/// The number of a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Port(NonZeroU32);

impl Port {
    /// 0 is never a port.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Port(number)),
            None => None,
        }
    }

    /// The number, as hypercalls and xenstore have it.
    pub const fn number(self) -> u32 {
        self.0.get()
    }
}

/// Where the toolstack left a page, and the port that goes with it.
#[derive(Clone, Copy)]
pub struct Place {
    /// The page's frame.
    pub frame: usize,
    /// Its port.
    pub port: u32,
}

/// The system. Two contexts call it:
///
/// * *driver*: a thread, or the main loop. It calls `Bus::poll` and everything else that is
///   not marked otherwise. It may wait.
/// * *event*: `Events::deliver`, called for a pending port: in the upcall, or in a
///   thread of its own. It never waits.
///
/// # Safety
/// The frontends have no locks. Whoever implements this sees to it that no two functions of the
/// frontends run at the same time, with one exception: while [`System::wait`] sleeps, events are
/// delivered. With one processor, keep events masked around calls into the frontends; with more, hold
/// one lock, which `wait` lets go of while it sleeps. Pages and memory that are given out are nobody
/// else's, and hypercalls do what those of the hypervisor do.
pub unsafe trait System: Sync {
    /// Pages in a row, zeroed and page-aligned, each one a machine frame of its own. Driver context.
    fn pages(&self, count: usize) -> Option<NonNull<u8>>;
    /// Gives back pages that `pages` gave, all of them or some. Driver context.
    ///
    /// # Safety
    /// They are used no more, and no backend has a grant of one.
    unsafe fn free_pages(&self, pages: NonNull<u8>, count: usize);
    /// Zeroed memory for private state, aligned to 16 bytes. Driver context.
    fn alloc(&self, size: usize) -> Option<NonNull<u8>>;
    /// Gives it back; the size is that of the allocation. Driver context.
    ///
    /// # Safety
    /// The memory is used no more.
    unsafe fn free(&self, memory: NonNull<u8>, size: usize);
    /// Machine frame of a page: the number that goes into a grant. Any context.
    fn frame(&self, page: NonNull<u8>) -> u64;
    /// Maps frames that the hypervisor or toolstack provides (grant table, xenstore, console), writable
    /// and in a row. They stay mapped until the next call after a resume. Driver context.
    fn map(&self, frames: &[usize]) -> Option<NonNull<u8>>;

    /// Routes a port, which is open already, to `Events::deliver` and unmasks it. Driver context.
    fn port_open(&self, port: Port) -> Result<()>;
    /// Masks it and ends the routing; the port is closed after. Driver context.
    fn port_close(&self, port: Port);
    /// Sleeps until an event has been delivered, `wake` was called, or the time has come; may come back
    /// early for no reason. Driver context, with nothing held but the frontends' lock.
    fn wait(&self, deadline: u64);
    /// Something is left to do: `Bus::poll` is wanted soon. Any context.
    fn wake(&self);

    /// The hypercall event_channel_op. Driver context; EVTCHNOP_send in any.
    ///
    /// # Safety
    /// The argument is what the command expects.
    unsafe fn event_op(&self, command: u32, argument: *mut c_void) -> isize;
    /// The hypercall grant_table_op, with one argument. Driver context, at start and resume only.
    ///
    /// # Safety
    /// The argument is what the command expects.
    unsafe fn grant_op(&self, command: u32, argument: *mut c_void) -> isize;

    /// Xenstore's page, out of start_info, read anew after a resume. Driver context.
    fn store(&self) -> Option<Place>;
    /// The console's page, in the same way; domain 0 has none. Driver context.
    fn console(&self) -> Option<Place>;

    /// Nanoseconds since some moment; never goes back, a resume aside. Any context.
    fn time(&self) -> u64;
    /// One line for the system's log, without a newline. It must not come back into the frontends. Any
    /// context.
    fn log(&self, line: &str);
}
