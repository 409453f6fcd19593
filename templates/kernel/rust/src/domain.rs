//! The domain: what the loader told it, the page it shares with the hypervisor, and its end.

use crate::pages::WRITABLE;
use crate::single::Single;
use xenabi::{hypercall, shared_info, start_info, vcpu_info};

static START: Single<*const start_info> = Single::new(core::ptr::null());
static SHARED: Single<*mut shared_info> = Single::new(core::ptr::null_mut());

/// An address for the shared page. The page that the image has here is given up for it.
#[repr(C, align(4096))]
struct Page([u8; 4096]);
static mut SHARED_PAGE: Page = Page([0; 4096]);

pub fn start(info: *const start_info) {
    START.set(info);
    let address = &raw mut SHARED_PAGE;
    // shared_info is a machine address: the only page that the loader does not map for us.
    // SAFETY: nothing else uses SHARED_PAGE, so that it may change under its address.
    let error = unsafe {
        let entry = (*info).shared_info as u64 | WRITABLE;
        hypercall::update_va_mapping(address as usize, entry, xenabi::UVMF_INVLPG as usize)
    };
    assert!(error == 0, "the shared page cannot be mapped: {error}");
    SHARED.set(address.cast());
}

/// Written by the loader.
pub fn info() -> &'static start_info {
    // SAFETY: set once at the start, and the page stays as the loader left it.
    unsafe { &*START.get() }
}

/// The words that the kernel was started with.
#[allow(dead_code)] // a driver looks at it
pub fn command_line() -> &'static [u8] {
    let line = &info().cmd_line;
    // SAFETY: bytes are bytes, with a sign or without.
    let bytes = unsafe { core::slice::from_raw_parts(line.as_ptr().cast::<u8>(), line.len()) };
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Shared with the hypervisor, which writes it at any time: no references, raw accesses only.
pub fn shared() -> *mut shared_info {
    SHARED.get()
}

/// What the hypervisor keeps for this processor. This kernel has one.
pub fn vcpu() -> *mut vcpu_info {
    // SAFETY: computes an address within the shared page.
    unsafe { (&raw mut (*shared()).vcpu_info).cast() }
}

/// Ends the domain for one of the SHUTDOWN reasons.
pub fn end(reason: u32) -> ! {
    let mut shutdown = xenabi::sched_shutdown { reason };
    loop {
        // SAFETY: the argument is what SCHEDOP_shutdown expects.
        unsafe {
            hypercall::sched_op(xenabi::SCHEDOP_shutdown as i32, (&raw mut shutdown).cast(), 0);
        }
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    crate::println!("{info}");
    end(xenabi::SHUTDOWN_crash)
}
