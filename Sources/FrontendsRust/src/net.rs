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
use crate::net_receive::Frame;
use crate::shared::{Ring, SharedPage};
use crate::store::{up_to_zero, Transaction};
use crate::system::{Port, PAGE, SECOND};
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

/// An Ethernet address.
pub type Mac = [u8; 6];

/// What travels with a frame in either direction.
#[derive(Clone, Copy, Default)]
pub struct Offload {
    /// The TCP or UDP checksum holds the pseudo-header's sum only.
    pub checksum_blank: bool,
    /// Received: the checksum is known to be good.
    pub validated: bool,
    /// XEN_NETIF_GSO_TYPE; with `checksum_blank` always.
    pub gso_type: u8,
    /// Payload of each packet that the frame is to be cut into.
    pub gso_size: u16,
}

/// What is wanted of a connection, or agreed on.
#[derive(Clone, Copy, Default)]
#[allow(missing_docs)]
pub struct Features {
    pub sg: bool,
    pub checksum: bool,
    pub checksum6: bool,
    pub gso4: bool,
    pub gso6: bool,
    pub multicast: bool,
    pub split_events: bool,
    /// Up to 8.
    pub queues: u32,
}

/// What to ask for; what the backend does not offer is left out.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Options {
    pub features: Features,
    /// Pages of a queue, up to 256.
    pub tx_buffers: u32,
    /// Pages of a queue, up to 256.
    pub rx_buffers: u32,
    /// Nanoseconds until an answer counts as lost.
    pub send_timeout: u64,
}

impl Options {
    /// Everything but the filter, in moderate sizes.
    pub const DEFAULT: Options = Options {
        features: Features {
            sg: true,
            checksum: true,
            checksum6: true,
            gso4: true,
            gso6: true,
            multicast: false,
            split_events: true,
            queues: 1,
        },
        tx_buffers: 128,
        rx_buffers: 128,
        send_timeout: 30 * SECOND,
    };
}

/// Frames. Lost are those that the backend had not answered when it went.
#[derive(Clone, Copy, Default)]
#[allow(missing_docs)]
pub struct Counters {
    pub sent: u64,
    pub send_errors: u64,
    pub lost: u64,
    pub received: u64,
    pub receive_errors: u64,
}

/// Who has the interfaces.
pub trait Owner: Sync {
    /// What to ask for, of interfaces found from now on.
    fn options(&self) -> Options {
        Options::DEFAULT
    }
    /// An interface can be used, first and after each reconnection. Driver context.
    fn ready(&self, net: &'static Net);
    /// One that was ready before is about to be dropped. Driver context.
    fn gone(&self, net: &Net);
    /// A frame, which is gone after the call. May send. Event or driver context.
    fn receive(&self, net: &Net, frame: &[u8], offload: &Offload);
    /// After `AGAIN` there is room again.
    fn writable(&self, _: &Net) {}
}

/// The kind `vif`: interfaces, all of one owner.
pub struct Nets(
    /// Who is told of them.
    pub &'static dyn Owner,
);

/// A slot of the tx ring.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) union TxEntry {
    pub request: netif_tx_request,
    pub extra: netif_extra_info,
}
// SAFETY: numbers only.
unsafe impl Plain for TxEntry {}

/// A slot of the rx ring, as the backend fills it.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) union RxEntry {
    pub response: netif_rx_response,
    pub extra: netif_extra_info,
}
// SAFETY: numbers only.
unsafe impl Plain for RxEntry {}

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
    pub tx: Ring<TxEntry, netif_tx_response>,
    pub rx: Ring<netif_rx_request, RxEntry>,
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
    mac: Cell<Mac>,
    mtu: Cell<u32>,
    pub(crate) own: RefCell<Own>,
}

impl Net {
    /// The interface's address.
    pub fn mac(&self) -> Mac {
        self.mac.get()
    }

    /// Bytes of a frame without its header.
    pub fn mtu(&self) -> u32 {
        self.mtu.get()
    }

    /// Of the present connection, for sending.
    pub fn features(&self) -> Features {
        self.features.get()
    }

    /// Frames so far.
    pub fn counters(&self) -> Counters {
        self.counters.get()
    }

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
        let net = Net {
            device,
            owner: self.0,
            options: Cell::new(options),
            features: Cell::new(Features::default()),
            counters: Cell::new(Counters::default()),
            mac: Cell::new([0; 6]),
            mtu: Cell::new(0),
            own: RefCell::new(Own {
                usable: false,
                full: false,
                queues: [const { None }; QUEUES_MAX],
                multicasts: [None; MULTICASTS],
            }),
        };
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
            let reference = |of: Option<crate::grants::Reference>| of.map_or(0, |of| of.number().into());
            let (tx, rx) = (reference(queue.tx.references().next()), reference(queue.rx.references().next()));
            let port = u64::from(queue.port.port().number());
            let rx_port = queue.rx_port.as_ref().map(|port| u64::from(port.port().number()));
            drop(own);
            store.write_keys(transaction, folder, &[("tx-ring-ref", tx), ("rx-ring-ref", rx)])?;
            match rx_port {
                None => store.write_number(transaction, folder, "event-channel", port),
                Some(rx_port) => {
                    let keys = [("event-channel-tx", port), ("event-channel-rx", rx_port)];
                    store.write_keys(transaction, folder, &keys)
                }
            }
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
