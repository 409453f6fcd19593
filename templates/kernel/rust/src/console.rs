//! Printing. `console_io` prints to the hypervisor's own console, which is that of domain 0; of other
//! domains a release build of Xen drops it. They have a ring in a page shared with a daemon:
//!
//! ```text
//!     out[]:  ....xxxxxxx....      x: printed and not yet read by the daemon
//!                 ^cons  ^prod     indexes run freely and are masked when used
//! ```

use crate::{domain, pages, single::Single};
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
        RING.set(pages::page_of_frame(frame as u64) as *mut xencons_interface);
    }
}

fn notify() {
    // SAFETY: there is a ring, so the union holds an ordinary domain's console.
    let port = unsafe { domain::info().console.domU.evtchn };
    let mut send = xenabi::evtchn_send { port };
    // SAFETY: the argument is what EVTCHNOP_send expects.
    unsafe { hypercall::event_channel_op(xenabi::EVTCHNOP_send as i32, (&raw mut send).cast()) };
}

/// Waits a while for a daemon that is behind, not for ever for one that is gone.
fn ring_write(ring: *mut xencons_interface, text: &[u8]) {
    // SAFETY: the page is mapped for ever; the daemon writes one index and we the other.
    let (read, written) = unsafe {
        (AtomicU32::from_ptr(&raw mut (*ring).out_cons), AtomicU32::from_ptr(&raw mut (*ring).out_prod))
    };
    let mut patience = 1000;
    for byte in text {
        let index = written.load(Ordering::Relaxed);
        // Wrapping: a daemon that writes nonsense makes the ring look full, not larger.
        while index.wrapping_sub(read.load(Ordering::Acquire)) >= RING_SIZE {
            if patience == 0 {
                return;
            }
            patience -= 1;
            notify();
            // SAFETY: yield takes no argument.
            unsafe { hypercall::sched_op(xenabi::SCHEDOP_yield as i32, core::ptr::null_mut(), 0) };
        }
        // SAFETY: the index is masked to the ring.
        unsafe {
            (&raw mut (*ring).out).cast::<u8>().add((index % RING_SIZE) as usize).write_volatile(*byte);
        }
        written.store(index.wrapping_add(1), Ordering::Release);
    }
    notify();
}

/// Both consoles as one.
pub struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: the hypervisor reads so many bytes and writes none.
        unsafe {
            let bytes = text.as_ptr().cast_mut();
            hypercall::console_io(xenabi::CONSOLEIO_write, text.len() as u32, bytes);
        }
        let ring = RING.get();
        if !ring.is_null() {
            for line in text.split_inclusive('\n') {
                ring_write(ring, line.trim_end_matches('\n').as_bytes());
                if line.ends_with('\n') {
                    ring_write(ring, b"\r\n");
                }
            }
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
