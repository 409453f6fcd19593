//! xg_net.h

use crate::bus;
use crate::layout::{Device, Driver};
use crate::{os::CSystem, status};
use core::ffi::{c_int, c_void};
use core::ptr::NonNull;
use xenfront::error::Error;
use xenfront::net::{self, Features, Nets, Owner};
use xenfront::system::System;

#[repr(C)]
pub struct Offload {
    checksum_blank: bool,
    validated: bool,
    gso_type: u8,
    gso_size: u16,
}

#[repr(C)]
pub struct Part {
    data: *const u8,
    length: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Options {
    sg: bool,
    checksum: bool,
    checksum6: bool,
    gso4: bool,
    gso6: bool,
    multicast: bool,
    split_events: bool,
    queues: u32,
    tx_buffers: u32,
    rx_buffers: u32,
    send_timeout: u64,
}

type Receive = unsafe extern "C" fn(*mut Net, *const u8, usize, *const Offload);

#[repr(C)]
pub struct Net {
    device: Device,
    options: Options,
    mac: [u8; 6],
    mtu: u32,
    sg: bool,
    checksum: bool,
    checksum6: bool,
    gso4: bool,
    gso6: bool,
    multicast: bool,
    split_events: bool,
    queue_count: u32,
    sent: u64,
    send_errors: u64,
    lost: u64,
    received: u64,
    receive_errors: u64,
    receive: Option<Receive>,
    writable: Option<unsafe extern "C" fn(*mut Net)>,
    context: *mut c_void,
    own: *const net::Net,
}

type Hook = Option<unsafe extern "C" fn(*mut Net)>;

#[no_mangle]
pub static xg_net_driver: Driver = Driver::named(c"vif");
#[no_mangle]
pub static mut xg_net_defaults: Options = {
    let all = net::Options::DEFAULT;
    Options {
        sg: all.features.sg,
        checksum: all.features.checksum,
        checksum6: all.features.checksum6,
        gso4: all.features.gso4,
        gso6: all.features.gso6,
        multicast: all.features.multicast,
        split_events: all.features.split_events,
        queues: all.features.queues,
        tx_buffers: all.tx_buffers,
        rx_buffers: all.rx_buffers,
        send_timeout: all.send_timeout,
    }
};
#[no_mangle]
pub static mut xg_net_ready: Hook = None;
#[no_mangle]
pub static mut xg_net_gone: Hook = None;

pub static NETS: Nets = Nets(&COwner);

struct COwner;

fn defaults() -> Options {
    // SAFETY: C writes it before it starts the bus, or between calls.
    unsafe { (&raw const xg_net_defaults).read() }
}

fn c_of(net: &net::Net) -> Option<NonNull<Net>> {
    NonNull::new(net.device.context.get().cast())
}

impl Owner for COwner {
    fn options(&self) -> net::Options {
        let want = defaults();
        net::Options {
            features: Features {
                sg: want.sg,
                checksum: want.checksum,
                checksum6: want.checksum6,
                gso4: want.gso4,
                gso6: want.gso6,
                multicast: want.multicast,
                split_events: want.split_events,
                queues: want.queues,
            },
            tx_buffers: want.tx_buffers,
            rx_buffers: want.rx_buffers,
            send_timeout: want.send_timeout,
        }
    }

    fn ready(&self, found: &'static net::Net) {
        let device = &found.device;
        if device.context.get().is_null() {
            let Some(place) = CSystem.alloc(size_of::<Net>()) else { return };
            let place = place.cast::<Net>().as_ptr();
            // SAFETY: zeroed memory is one, and it is ours.
            unsafe {
                (*place).options = defaults();
                (*place).own = found;
                bus::introduce(place.cast(), &raw const xg_net_driver, device);
            }
            device.context.set(place.cast());
        }
        bus::show(device);
        // SAFETY: C's hook, with its interface.
        unsafe {
            if let Some(ready) = (&raw const xg_net_ready).read() {
                ready(device.context.get().cast());
            }
        }
    }

    fn gone(&self, net: &net::Net) {
        let place = net.device.context.replace(core::ptr::null_mut());
        let Some(memory) = NonNull::new(place.cast::<u8>()) else { return };
        // SAFETY: C's hook, with its interface, which nobody uses after.
        unsafe {
            if let Some(gone) = (&raw const xg_net_gone).read() {
                gone(place.cast());
            }
            CSystem.free(memory, size_of::<Net>());
        }
    }

    fn receive(&self, net: &net::Net, frame: &[u8], offload: &net::Offload) {
        let offload = Offload {
            checksum_blank: offload.checksum_blank,
            validated: offload.validated,
            gso_type: offload.gso_type,
            gso_size: offload.gso_size,
        };
        let Some(c) = c_of(net) else { return };
        // SAFETY: C's function, with its interface and a frame of so many bytes.
        unsafe {
            if let Some(receive) = (*c.as_ptr()).receive {
                receive(c.as_ptr(), frame.as_ptr(), frame.len(), &raw const offload);
            }
        }
    }

    fn writable(&self, net: &net::Net) {
        let Some(c) = c_of(net) else { return };
        // SAFETY: C's function, with its interface.
        unsafe {
            if let Some(writable) = (*c.as_ptr()).writable {
                writable(c.as_ptr());
            }
        }
    }
}

/// Shows what is known of an interface.
pub fn show(place: *mut Device) {
    // SAFETY: `bus::show` asks for interfaces alone, with C's place.
    let c = unsafe { &mut *place.cast::<Net>() };
    // SAFETY: the interface in Rust is there as long as C's is.
    let net = unsafe { &*c.own };
    let (features, counters) = (net.features(), net.counters());
    c.mac = net.mac();
    c.mtu = net.mtu();
    c.sg = features.sg;
    c.checksum = features.checksum;
    c.checksum6 = features.checksum6;
    c.gso4 = features.gso4;
    c.gso6 = features.gso6;
    c.multicast = features.multicast;
    c.split_events = features.split_events;
    c.queue_count = features.queues;
    c.sent = counters.sent;
    c.send_errors = counters.send_errors;
    c.lost = counters.lost;
    c.received = counters.received;
    c.receive_errors = counters.receive_errors;
}

const PARTS_MAX: usize = 16;

#[no_mangle]
unsafe extern "C" fn xg_net_send(
    net: *mut Net, parts: *const Part, count: usize, offload: *const Offload, flow: u32,
) -> c_int {
    let mut slices: [&[u8]; PARTS_MAX] = [&[]; PARTS_MAX];
    if count > PARTS_MAX {
        return -Error::INVALID.number();
    }
    for (index, slice) in slices.iter_mut().enumerate().take(count) {
        // SAFETY: so many parts are there, of so many bytes.
        unsafe {
            let part = &*parts.add(index);
            if part.length > xenabi::XEN_NETIF_MAX_TX_SIZE as usize {
                return -Error::FRAME_SIZE.number(); // no slice is as long as C may say
            }
            if part.length != 0 {
                *slice = core::slice::from_raw_parts(part.data, part.length);
            }
        }
    }
    // SAFETY: C's own, if there is one.
    let offload = unsafe { offload.as_ref() }.map_or(net::Offload::default(), |of| net::Offload {
        checksum_blank: of.checksum_blank,
        validated: of.validated,
        gso_type: of.gso_type,
        gso_size: of.gso_size,
    });
    // SAFETY: C's interface.
    let own = unsafe { &*(*net).own };
    status(own.send(&slices[..count], &offload, flow))
}

#[no_mangle]
unsafe extern "C" fn xg_net_multicast(net: *mut Net, address: *const [u8; 6], add: bool) -> c_int {
    // SAFETY: C's interface, and six bytes.
    status(unsafe { (*(*net).own).multicast(*address, add) })
}
