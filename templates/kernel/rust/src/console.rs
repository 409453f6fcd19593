//! Printing. `console_io` prints to the hypervisor's own console, which is that of domain 0; of other
//! domains a release build of Xen drops it. They have a ring in a page shared with a daemon, if there is
//! one; otherwise the hypervisor's has to do:
//!
//! ```text
//!     out[]:  ....xxxxxxx....      x: printed and not yet read by the daemon
//!                 ^cons  ^prod     indexes run freely and are masked when used
//! ```

use crate::{clock, domain, events, pages, single::Single};
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU32, Ordering};
use xenabi::{hypercall, xencons_interface};

static RING: Single<*mut xencons_interface> = Single::new(core::ptr::null_mut());
const RING_SIZE: u32 = 2048;

/// Finds the domain's own console, if it has one.
pub fn start() {
    let info = domain::info();
    // SAFETY: outside domain 0 this member is the valid one, and zero means that there is none.
    let frame = unsafe { info.console.domU.mfn };
    if info.flags & xenabi::SIF_INITDOMAIN == 0 && frame != 0 {
        let ring = pages::page_of_frame(frame as u64) as *mut xencons_interface;
        RING.set(ring);
        // Shows nothing, but shows whether there is a daemon.
        let seen = indexes(ring).0.load(Ordering::Acquire);
        if !ring_write(ring, b"\r") || !wait_for_daemon(ring, seen) {
            RING.set(core::ptr::null_mut());
        }
    }
}

fn port() -> xenabi::evtchn_port_t {
    // SAFETY: there is a ring, so the union holds an ordinary domain's console.
    unsafe { domain::info().console.domU.evtchn }
}

/// What the daemon has read, and what we have written.
fn indexes(ring: *mut xencons_interface) -> (&'static AtomicU32, &'static AtomicU32) {
    // SAFETY: the page is mapped for ever; the daemon writes one index and we the other.
    unsafe {
        (AtomicU32::from_ptr(&raw mut (*ring).out_cons), AtomicU32::from_ptr(&raw mut (*ring).out_prod))
    }
}

fn notify() {
    let mut send = xenabi::evtchn_send { port: port() };
    // SAFETY: the argument is what EVTCHNOP_send expects.
    unsafe { hypercall::event_channel_op(xenabi::EVTCHNOP_send as i32, (&raw mut send).cast()) };
}

/// Sleeps until the daemon has read something, but not for ever: it may be gone.
fn wait_for_daemon(ring: *mut xencons_interface, seen: u32) -> bool {
    let (read, _) = indexes(ring);
    let deadline = clock::now() + 500 * clock::MILLISECOND;
    notify();
    while read.load(Ordering::Acquire) == seen {
        if clock::now() >= deadline {
            return false;
        }
        events::poll(port(), deadline);
    }
    true
}

fn ring_write(ring: *mut xencons_interface, text: &[u8]) -> bool {
    let (read, written) = indexes(ring);
    for byte in text {
        let index = written.load(Ordering::Relaxed);
        loop {
            let seen = read.load(Ordering::Acquire);
            // Wrapping: a daemon that writes nonsense makes the ring look full, not larger.
            if index.wrapping_sub(seen) < RING_SIZE {
                break;
            }
            if !wait_for_daemon(ring, seen) {
                return false;
            }
        }
        // SAFETY: the index is masked to the ring.
        unsafe {
            (&raw mut (*ring).out).cast::<u8>().add((index % RING_SIZE) as usize).write_volatile(*byte);
        }
        written.store(index.wrapping_add(1), Ordering::Release);
    }
    notify();
    true
}

/// Both consoles as one.
pub struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let ring = RING.get();
        if !ring.is_null() {
            let whole = text.split_inclusive('\n').all(|line| {
                ring_write(ring, line.trim_end_matches('\n').as_bytes())
                    && (!line.ends_with('\n') || ring_write(ring, b"\r\n"))
            });
            if whole {
                return Ok(());
            }
            RING.set(core::ptr::null_mut());
        }
        // SAFETY: the hypervisor reads so many bytes and writes none.
        unsafe {
            let bytes = text.as_ptr().cast_mut();
            hypercall::console_io(xenabi::CONSOLEIO_write, text.len() as u32, bytes);
        }
        Ok(())
    }
}

/// A line on the console.
#[macro_export]
macro_rules! println {
    ($($part:tt)*) => {{
        use core::fmt::Write;
        let _ = writeln!($crate::console::Console, $($part)*);
    }};
}
