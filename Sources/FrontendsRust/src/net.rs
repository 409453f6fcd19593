//! Network interfaces. Frames are copied into and out of pages of the driver's own, which stay granted
//! for as long as a connection lasts: a backend sees frames and nothing beside them, and a frame that
//! has been handed on does not change any more.
//!
//! ```text
//!     send    --> copy into free buffers --> tx ring --> backend
//!                    ^-- response: the id is looked up among the buffers under way
//!     receive <-- copy, whole frames <-- rx ring <-- backend
//!                    '-- the buffer goes back into the ring at once
//! ```
//!
//! Responses of the rx ring come in order, and some are no responses but extras, without an id: so the
//! slot tells the buffer. A frame's slots are taken one by one, with the state kept in the queue, as a
//! backend may publish the first half of a frame now and the other half later, or never.

use crate::bus::{Device, Driver, Kind};
use crate::error::{Error, Result};
use crate::events::{Handler, OwnPort};
use crate::grants::Access;
use crate::memory::{self, Array, Pages};
pub use crate::net_interface::{Counters, Features, Mac, Nets, Offload, Options, Owner};
use crate::net_receive::Frame;
use crate::shared::{Ring, SharedPage};
use crate::store::{up_to_zero, Transaction};
use crate::system::{Port, PAGE};
use crate::text::{parse_mac, Path};
use core::cell::{Cell, RefCell};
use core::ptr::NonNull;
use xenabi::ring::{Broken, Plain};
use xenabi::{netif_extra_info, netif_rx_request, netif_rx_response, netif_tx_request, netif_tx_response};

const QUEUES_MAX: usize = 8;
const BUFFERS_MAX: u32 = 256;
pub(crate) const FRAME_MAX: usize = xenabi::XEN_NETIF_MAX_TX_SIZE as usize;
pub(crate) const FRAME_PAGES: usize = FRAME_MAX.div_ceil(PAGE);
pub(crate) const HEADER_MIN: usize = 14;
const MULTICASTS: usize = 64;

/// A slot: of the tx ring a request, of the rx ring a response; or an extra in place of one.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) union Slot<T: Plain> {
    pub plain: T,
    pub extra: netif_extra_info,
}
// SAFETY: numbers only.
unsafe impl<T: Plain> Plain for Slot<T> {}

/// What a tx buffer holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Free,
    Piece,
    /// The first piece of one.
    Frame,
}

pub(crate) struct Queue {
    pub port: OwnPort,
    /// With split events alone.
    pub rx_port: Option<OwnPort>,
    pub tx: Ring<Slot<netif_tx_request>, netif_tx_response>,
    pub rx: Ring<netif_rx_request, Slot<netif_rx_response>>,
    pub tx_buffers: Array<(Option<SharedPage>, Use)>,
    pub rx_buffers: Array<Option<SharedPage>>,
    /// The tx buffers that are free: so many of these.
    pub free: Array<u16>,
    pub free_count: usize,
    /// Slots of the tx ring that are no buffers.
    pub extras: u32,
    /// When tx was last answered, or began.
    pub progress: u64,
    /// The rx buffer that stands in each slot.
    pub rx_slots: Array<u16>,
    pub frame: Frame,
}

/// What changes all the time. Never borrowed while the owner is called.
pub(crate) struct Own {
    pub usable: bool,
    pub full: bool,
    pub queues: [Option<Queue>; QUEUES_MAX],
    pub multicasts: [Option<Mac>; MULTICASTS],
}

/// An interface.
pub struct Net {
    /// What all devices have.
    pub device: Device,
    pub(crate) owner: &'static dyn Owner,
    pub(crate) options: Cell<Options>,
    pub(crate) features: Cell<Features>,
    pub(crate) counters: Cell<Counters>,
    pub(crate) mac: Cell<Mac>,
    pub(crate) mtu: Cell<u32>,
    pub(crate) own: RefCell<Own>,
}

impl Net {
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }

    /// Runs one queue's side until it is empty; `take` takes one slot, and says whether there was one.
    fn run_side(&self, what: &'static str, take: impl Fn() -> core::result::Result<bool, Broken>) {
        for _ in 0..BUFFERS_MAX {
            if !self.own.borrow().usable || self.device.is_faulty().is_some() {
                return;
            }
            match take() {
                Ok(true) => {}
                Ok(false) => return,
                Err(Broken) => {
                    self.own.borrow_mut().usable = false;
                    return self.device.fault(what);
                }
            }
        }
        self.device.system().wake();
    }

    /// Event context; and each poll.
    fn run_queue(&self, index: usize) {
        self.run_side("net: impossible tx response", || self.take_tx(index));
        self.run_side("net: impossible rx response", || self.take_rx(index));
        let mut own = self.own.borrow_mut();
        let Own { usable: true, queues, full, .. } = &mut *own else { return };
        let Some(queue) = &mut queues[index] else { return };
        queue.rx.push(queue.rx_port.as_ref().unwrap_or(&queue.port));
        if *full && queue.free_count != 0 {
            *full = false;
            drop(own);
            self.owner.writable(self);
        }
    }
}

impl Handler for Net {
    fn event(&self, port: Port) {
        let own = self.own.borrow();
        let index = own.queues.iter().flatten().position(|queue| {
            let mut ports = queue.rx_port.iter().chain([&queue.port]);
            ports.any(|mine| mine.port() == port)
        });
        drop(own);
        if let Some(index) = index {
            self.run_queue(index);
        }
    }
}

impl Queue {
    fn new(net: &Net) -> Result<Self> {
        let (bus, backend, options) = (net.device.bus, net.device.backend_id(), net.options.get());
        let (grants, system) = (bus.grants, bus.grants.system);
        // SAFETY: an interface stays in place until it is dropped, and its ports are closed before.
        let open = || unsafe { bus.store.events.open(backend, NonNull::from(net)) };
        let rx = Ring::new(grants, backend, 0)?;
        let (tx_count, rx_count) = (options.tx_buffers as usize, options.rx_buffers as usize);
        let mut queue = Queue {
            tx: Ring::new(grants, backend, 0)?,
            tx_buffers: Array::new(system, tx_count, || (None, Use::Free))?,
            rx_buffers: Array::new(system, rx_count, || None)?,
            free: Array::new(system, tx_count, || 0)?,
            free_count: tx_count,
            extras: 0,
            progress: 0,
            rx_slots: Array::new(system, rx.count() as usize, || 0)?,
            frame: Frame::new(Pages::new(system, FRAME_PAGES)?),
            port: open()?,
            rx_port: if net.features().split_events { Some(open()?) } else { None },
            rx,
        };
        for (index, (buffer, _)) in queue.tx_buffers.iter_mut().enumerate() {
            *buffer = Some(SharedPage::new(grants, backend, Access::Read)?);
            queue.free[index] = index as u16;
        }
        for index in 0..rx_count {
            queue.rx_buffers[index] = Some(SharedPage::new(grants, backend, Access::Write)?);
            queue.put_rx(index as u16);
        }
        queue.rx.push(&queue.port); // who is notified too early finds nothing
        Ok(queue)
    }
}

impl Kind for Nets {
    fn name(&self) -> &'static str {
        "vif"
    }

    fn create(&self, device: Device) -> Result<NonNull<dyn Driver>> {
        let (system, mut options) = (device.system(), self.0.options());
        options.tx_buffers = options.tx_buffers.clamp(1, BUFFERS_MAX);
        options.rx_buffers = options.rx_buffers.clamp(1, BUFFERS_MAX);
        let (options, features, counters) = (Cell::new(options), Cell::default(), Cell::default());
        let multicasts = [None; MULTICASTS];
        let own = Own { usable: false, full: false, queues: [const { None }; QUEUES_MAX], multicasts };
        let (mac, mtu, own) = (Cell::default(), Cell::default(), RefCell::new(own));
        let net = Net { device, owner: self.0, options, features, counters, mac, mtu, own };
        Ok(memory::place(system, net)?)
    }
}

impl Driver for Net {
    fn device(&self) -> &Device {
        &self.device
    }

    fn published_state(&self) -> u32 {
        xenabi::XenbusStateConnected
    }

    fn setup(&self) -> Result<()> {
        let (device, want) = (&self.device, self.options.get().features);
        if device.offer("feature-rx-copy", 0) == 0 {
            return Err(Error::NOT_SUPPORTED);
        }
        let features = Features {
            sg: device.agrees(want.sg, "feature-sg"),
            checksum: want.checksum && device.offer("feature-no-csum-offload", 0) == 0,
            checksum6: device.agrees(want.checksum6, "feature-ipv6-csum-offload"),
            gso4: device.agrees(want.gso4, "feature-gso-tcpv4"),
            gso6: device.agrees(want.gso6, "feature-gso-tcpv6"),
            multicast: device.agrees(want.multicast, "feature-multicast-control"),
            split_events: device.agrees(want.split_events, "feature-split-event-channels"),
            queues: device.queues(want.queues.min(QUEUES_MAX as u32)),
        };
        self.features.set(features);
        let mtu = device.bus.store.number(&device.path, "mtu", 1500);
        self.mtu.set(mtu.min(FRAME_MAX as u64) as u32);
        let (mut text, path) = ([0; 23], Path::join(&[&device.path, b"/mac"])?);
        let length = device.bus.store.read(Transaction::NONE, &path, &mut text).unwrap_or(0);
        if let Some(mac) = parse_mac(up_to_zero(&text[..length])) {
            self.mac.set(mac);
        }
        let mut own = self.own.borrow_mut();
        for place in &mut own.queues[..features.queues as usize] {
            *place = Some(Queue::new(self)?);
        }
        Ok(())
    }

    fn publish(&self, transaction: Transaction) -> Result<()> {
        let (device, want) = (&self.device, self.options.get().features);
        let store = device.bus.store;
        let keys = [
            ("request-rx-copy", true),
            ("feature-rx-notify", true),
            ("feature-sg", want.sg),
            ("feature-no-csum-offload", !want.checksum),
            ("feature-ipv6-csum-offload", want.checksum6),
            ("feature-gso-tcpv4", want.gso4),
            ("feature-gso-tcpv6", want.gso6),
            ("request-multicast-control", self.features().multicast),
        ];
        store.write_keys(transaction, &device.path, &keys.map(|(key, value)| (key, value.into())))?;
        device.publish_queues(transaction, self.features().queues, |folder, index| {
            let own = self.own.borrow();
            let queue = own.queues[index].as_ref().ok_or(Error::INVALID)?;
            let references = (queue.tx.references().next(), queue.rx.references().next());
            let (Some(tx), Some(rx)) = references else { return Err(Error::INVALID) };
            let rx_port = queue.rx_port.as_ref().map(|port| port.port().number());
            let keys = [
                ("tx-ring-ref", tx.number()),
                ("rx-ring-ref", rx.number()),
                (if rx_port.is_some() { "event-channel-tx" } else { "event-channel" }, queue.port.port().number()),
                ("event-channel-rx", rx_port.unwrap_or(0)),
            ];
            drop(own);
            let keys = keys.map(|(key, value)| (key, value.into()));
            store.write_keys(transaction, folder, &keys[..if rx_port.is_some() { 4 } else { 3 }])
        })
    }

    fn connected(&self) -> Result<()> {
        let mut own = self.own.borrow_mut();
        own.usable = true;
        for address in own.multicasts.into_iter().flatten() {
            // One that finds no room is told at the next connection.
            let _ = own.tell_multicast(self, address, true);
        }
        drop(own);
        // SAFETY: an interface stays in place until its owner has been told that it is gone.
        self.owner.ready(unsafe { NonNull::from(self).as_ref() });
        Ok(())
    }

    fn stop(&self) {
        let mut own = self.own.borrow_mut();
        own.usable = false;
        for (_, state) in own.queues.iter_mut().flatten().flat_map(|queue| queue.tx_buffers.iter_mut()) {
            self.count(|counters| counters.lost += u64::from(*state == Use::Frame));
            *state = Use::Free;
        }
    }

    fn teardown(&self) {
        self.own.borrow_mut().queues = [const { None }; QUEUES_MAX];
    }

    fn removed(&self) {
        if self.device.connections() != 0 {
            self.owner.gone(self);
        }
    }

    fn poll(&self) {
        for index in 0..self.features().queues as usize {
            self.run_queue(index); // in case an event got lost
            let mut own = self.own.borrow_mut();
            let now = self.device.system().time(); // only now: what the event sent has no later time
            let Own { usable: usable @ true, queues, .. } = &mut *own else { return };
            let Some(queue) = &queues[index] else { return };
            if queue.tx.waits() && now.saturating_sub(queue.progress) > self.options.get().send_timeout {
                *usable = false;
                self.device.fault("net: a response is overdue");
            }
        }
    }
}
