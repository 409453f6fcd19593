//! What a kernel that has network interfaces knows of them: what may be asked for, and what travels with
//! a frame. See `net.rs` for how it works.

use crate::net::Net;
use crate::system::SECOND;

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
}
