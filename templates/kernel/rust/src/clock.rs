//! Time: there is no PIT and no APIC. The clock is computed, the timer a hypercall and an event.

use crate::{domain, events};
use core::sync::atomic::{fence, Ordering};
use xenabi::hypercall;

pub const MILLISECOND: u64 = 1_000_000;

/// Binds the timer; `tick` is called when it has expired, with events masked.
pub fn start(tick: events::Handler) {
    let error = events::bind_virq(xenabi::VIRQ_TIMER, tick);
    assert!(error == 0, "the timer cannot be bound: {error}");
    // A domain may start with a tick every 10 ms that it did not ask for.
    // SAFETY: the operation takes no argument.
    unsafe {
        let stop = xenabi::VCPUOP_stop_periodic_timer as i32;
        hypercall::vcpu_op(stop, 0, core::ptr::null_mut());
    }
}

fn read_tsc() -> u64 {
    // SAFETY: reading the counter changes nothing.
    unsafe {
        core::arch::x86_64::_mm_lfence();
        core::arch::x86_64::_rdtsc()
    }
}

/// Nanoseconds since the machine started.
pub fn now() -> u64 {
    // SAFETY: computes an address within the shared page.
    let area = unsafe { &raw const (*domain::vcpu()).time };
    // The hypervisor makes the version odd, writes, and makes it even again.
    loop {
        // SAFETY: the shared page is mapped for ever.
        let before = unsafe { area.read_volatile() };
        fence(Ordering::Acquire);
        let ticks = read_tsc().wrapping_sub(before.tsc_timestamp);
        fence(Ordering::Acquire);
        // SAFETY: as above.
        let version = unsafe { (&raw const (*area).version).read_volatile() };
        if before.version & 1 != 0 || before.version != version {
            continue;
        }
        let shift = before.tsc_shift;
        let ticks = if shift < 0 { ticks >> -shift } else { ticks << shift };
        // A 32.32 fixed-point product; 128 bits, because the counter may have run for long.
        let elapsed = (ticks as u128 * before.tsc_to_system_mul as u128) >> 32;
        return before.system_time.wrapping_add(elapsed as u64);
    }
}

/// Lets the timer expire once, at that time. It may come some microseconds early.
pub fn set(deadline: u64) {
    // SAFETY: a number is all that it takes.
    unsafe { hypercall::set_timer_op(deadline) };
}
