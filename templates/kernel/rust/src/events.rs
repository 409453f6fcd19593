//! Events: what interrupts are to a PV kernel. Bits in the shared page, one for each port:
//!
//! ```text
//!     vcpu_info.evtchn_upcall_pending   something is pending for this processor
//!       evtchn_pending_sel              in these words of
//!         evtchn_pending[64]            these ports, unless in
//!           evtchn_mask[64]
//! ```

use crate::{domain, single::Single};
use core::sync::atomic::{AtomicU64, AtomicU8, Ordering::SeqCst};
use xenabi::hypercall;

/// Gets the port; called with events masked.
pub type Handler = fn(xenabi::evtchn_port_t);

const PORTS: usize = 1024;

static HANDLERS: [Single<Option<Handler>>; PORTS] = [const { Single::new(None) }; PORTS];

fn pending(word: usize) -> &'static AtomicU64 {
    // SAFETY: the shared page is mapped for ever, and the array has 64 words.
    unsafe { AtomicU64::from_ptr((&raw mut (*domain::shared()).evtchn_pending).cast::<u64>().add(word)) }
}

fn mask(word: usize) -> &'static AtomicU64 {
    // SAFETY: as above.
    unsafe { AtomicU64::from_ptr((&raw mut (*domain::shared()).evtchn_mask).cast::<u64>().add(word)) }
}

fn upcall_pending() -> &'static AtomicU8 {
    // SAFETY: as above.
    unsafe { AtomicU8::from_ptr(&raw mut (*domain::vcpu()).evtchn_upcall_pending) }
}

/// Masks every port.
pub fn start() {
    for word in 0..xenabi::XEN_EVTCHN_WORDS as usize {
        mask(word).store(!0, SeqCst);
    }
}

/// Calls the handlers of all pending ports, with events masked; traps.rs.
pub fn deliver() {
    // In this order: what comes after the swap sets the flag again, and we are called again.
    upcall_pending().store(0, SeqCst);
    // SAFETY: the field is in the shared page, which is mapped for ever.
    let selector = unsafe { AtomicU64::from_ptr((&raw mut (*domain::vcpu()).evtchn_pending_sel).cast()) };
    let mut words = selector.swap(0, SeqCst);
    while words != 0 {
        let word = words.trailing_zeros() as usize;
        words &= words - 1;
        let mut bits = pending(word).load(SeqCst) & !mask(word).load(SeqCst);
        while bits != 0 {
            let bit = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            // First clear, then handle: an event that comes meanwhile is a new one.
            pending(word).fetch_and(!(1 << bit), SeqCst);
            let port = word * 64 + bit;
            if let Some(handler) = HANDLERS.get(port).and_then(Single::get) {
                handler(port as xenabi::evtchn_port_t);
            }
        }
    }
}

/// Hands a port's events to a function and unmasks it; 0, or what the hypervisor refused it with.
pub fn handle(port: xenabi::evtchn_port_t, handler: Handler) -> isize {
    let Some(slot) = HANDLERS.get(port as usize) else { return -(xenabi::XEN_ENOSPC as isize) };
    slot.set(Some(handler));
    // By hypercall: clearing the bit does not deliver what came while it was set.
    let mut unmask = xenabi::evtchn_unmask { port };
    // SAFETY: the argument is what EVTCHNOP_unmask expects.
    unsafe { hypercall::event_channel_op(xenabi::EVTCHNOP_unmask as i32, (&raw mut unmask).cast()) }
}

/// Binds a virtual interrupt to a new port; 0, or what the hypervisor refused it with.
pub fn bind_virq(virq: u32, handler: Handler) -> isize {
    let mut bind = xenabi::evtchn_bind_virq { virq, vcpu: 0, port: 0 };
    // SAFETY: the argument is what EVTCHNOP_bind_virq expects.
    let error = unsafe {
        hypercall::event_channel_op(xenabi::EVTCHNOP_bind_virq as i32, (&raw mut bind).cast())
    };
    if error != 0 { error } else { handle(bind.port, handler) }
}

/// Masks a port and ends its handler.
#[allow(dead_code)] // a driver calls it
pub fn forget(port: xenabi::evtchn_port_t) {
    if let Some(slot) = HANDLERS.get(port as usize) {
        mask(port as usize / 64).fetch_or(1 << (port % 64), SeqCst);
        slot.set(None);
    }
}

/// As cli.
#[allow(dead_code)] // a driver calls it
pub fn disable() {
    // SAFETY: the field is in the shared page; only this processor writes it.
    unsafe { AtomicU8::from_ptr(&raw mut (*domain::vcpu()).evtchn_upcall_mask).store(1, SeqCst) };
}

/// As sti: lets events be delivered to this processor.
pub fn enable() {
    // SAFETY: the field is in the shared page; only this processor writes it.
    unsafe { AtomicU8::from_ptr(&raw mut (*domain::vcpu()).evtchn_upcall_mask).store(0, SeqCst) };
    // The store alone delivers nothing; on its way out of any hypercall the hypervisor looks.
    if upcall_pending().load(SeqCst) != 0 {
        // SAFETY: the operation takes no argument.
        unsafe { hypercall::xen_version(xenabi::XENVER_version as i32, core::ptr::null_mut()) };
    }
}

/// As hlt: enables events and sleeps until one is pending, in one step, so that none slips in between.
pub fn wait() {
    // SAFETY: the operation takes no argument.
    unsafe { hypercall::sched_op(xenabi::SCHEDOP_block as i32, core::ptr::null_mut(), 0) };
}

/// Sleeps until this one port is pending, or the time has come; its handler is not called.
pub fn poll(mut port: xenabi::evtchn_port_t, deadline: u64) {
    pending(port as usize / 64).fetch_and(!(1 << (port % 64)), SeqCst);
    let mut poll = xenabi::sched_poll::zeroed();
    poll.ports = &raw mut port;
    poll.nr_ports = 1;
    poll.timeout = deadline;
    // SAFETY: the argument is what SCHEDOP_poll expects.
    unsafe { hypercall::sched_op(xenabi::SCHEDOP_poll as i32, (&raw mut poll).cast(), 0) };
}
