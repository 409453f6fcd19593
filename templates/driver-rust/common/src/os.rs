//! The porting layer for a small kernel with one processor and no threads, as `xenograft generate kernel
//! --language rust` writes it. Events are masked before the driver runs (`events::disable`), and stay so
//! but while `wait` sleeps: so no two functions of the frontends ever run at the same time.

use crate::single::Single;
use crate::{clock, domain, events, heap, pages, println};
use core::ffi::c_void;
use core::ptr::NonNull;
use xenabi::hypercall;
use xenfront::error::{Error, Result};
use xenfront::events::Events;
use xenfront::system::{Place, Port, System};

/// Frames of others are mapped from here on.
static WINDOW: Single<u64> = Single::new(0x1200_0000_0000);
static WOKEN: Single<bool> = Single::new(false);

/// Ports of the frontends.
pub static EVENTS: Events = Events::new(&Kernel);

/// This kernel.
pub struct Kernel;

fn place(frame: usize, port: u32) -> Option<Place> {
    (frame != 0).then_some(Place { frame, port })
}

// SAFETY: there is one processor, and events are masked but while it sleeps in `wait`; pages and memory
// are those of the kernel's own allocators, and hypercalls go where they say.
unsafe impl System for Kernel {
    fn pages(&self, count: usize) -> Option<NonNull<u8>> {
        pages::alloc(count as u64).and_then(|pages| NonNull::new(pages as *mut u8))
    }

    unsafe fn free_pages(&self, pages: NonNull<u8>, count: usize) {
        pages::free(pages.as_ptr() as u64, count as u64);
    }

    fn alloc(&self, size: usize) -> Option<NonNull<u8>> {
        heap::alloc(size).and_then(NonNull::new)
    }

    unsafe fn free(&self, memory: NonNull<u8>, size: usize) {
        heap::free(memory.as_ptr(), size);
    }

    fn frame(&self, page: NonNull<u8>) -> u64 {
        pages::frame_of(page.as_ptr() as u64)
    }

    fn map(&self, frames: &[usize]) -> Option<NonNull<u8>> {
        let first = WINDOW.get();
        for (frame, address) in frames.iter().zip((first..).step_by(pages::SIZE as usize)) {
            if pages::map(address, *frame as u64, pages::WRITABLE | pages::NO_EXECUTE) != 0 {
                return None;
            }
        }
        WINDOW.set(first + frames.len() as u64 * pages::SIZE);
        NonNull::new(first as *mut u8)
    }

    fn port_open(&self, port: Port) -> Result<()> {
        Error::check(events::handle(port.number(), |port| EVENTS.deliver(port)))
    }

    fn port_close(&self, port: Port) {
        events::forget(port.number());
    }

    fn wait(&self, deadline: u64) {
        if !WOKEN.get() && clock::now() < deadline {
            clock::set(deadline);
            events::wait();
        }
        // What came while they were masked is delivered here.
        events::enable();
        events::disable();
        WOKEN.set(false);
    }

    fn wake(&self) {
        WOKEN.set(true);
    }

    unsafe fn event_op(&self, command: u32, argument: *mut c_void) -> isize {
        // SAFETY: the caller's promise.
        unsafe { hypercall::event_channel_op(command as i32, argument) }
    }

    unsafe fn grant_op(&self, command: u32, argument: *mut c_void) -> isize {
        // SAFETY: the caller's promise.
        unsafe { hypercall::grant_table_op(command, argument, 1) }
    }

    fn store(&self) -> Option<Place> {
        let info = domain::info();
        place(info.store_mfn, info.store_evtchn)
    }

    fn console(&self) -> Option<Place> {
        let info = domain::info();
        if info.flags & xenabi::SIF_INITDOMAIN != 0 {
            return None; // domain 0 has the hypervisor's console and no other
        }
        // SAFETY: outside domain 0 this member is the valid one.
        let console = unsafe { info.console.domU };
        place(console.mfn, console.evtchn)
    }

    fn time(&self) -> u64 {
        clock::now()
    }

    fn log(&self, line: &str) {
        println!("{line}");
    }
}
