//! The driver's life: it answers ARP, ping, and UDP to port 7 on its first interface. Make it yours from
//! here. Words of the kernel's command line:
//!
//! ```text
//!   seconds=N                      so long (30), or until a datagram begins with "end"
//!   ip=A.B.C.D                     the interface's address (10.0.2.15)
//!   no-sg, no-checksum, no-gso, no-split       features that are not asked for
//!   queues=N
//! ```

use super::{life, packet};
use crate::println;
use core::cell::Cell;
use packet::{get16, Headers, ETHERTYPE_ARP, ETHERTYPE_IP};
use xenfront::bus::Kind;
use xenfront::error::Result;
use xenfront::net::{Features, Net, Nets, Offload, Options, Owner};
use xenfront::system::SECOND;
use xenfront::text::parse_number;

type Address = [u8; 4];

const ECHO_PORT: u16 = 7;
const ADDRESS: Address = [10, 0, 2, 15];

/// Has the first interface, and counts.
struct Life {
    net: Cell<Option<&'static Net>>,
    is_told_to_end: Cell<bool>,
    arps: Cell<u64>,
    pings: Cell<u64>,
    datagrams: Cell<u64>,
    others: Cell<u64>,
}
// SAFETY: there is one processor, and events are masked but while the driver sleeps.
unsafe impl Sync for Life {}

static LIFE: Life = Life {
    net: Cell::new(None),
    is_told_to_end: Cell::new(false),
    arps: Cell::new(0),
    pings: Cell::new(0),
    datagrams: Cell::new(0),
    others: Cell::new(0),
};
static NETS: Nets = Nets(&LIFE);
static KINDS: [&dyn Kind; 1] = [&NETS];

fn more(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

/// The address behind "ip=".
fn address() -> Address {
    let mut address = ADDRESS;
    let Some(text) = life::behind("ip=") else { return ADDRESS };
    let mut parts = text.split(|byte| *byte == b'.');
    for byte in &mut address {
        match parts.next().and_then(parse_number).and_then(|part| u8::try_from(part).ok()) {
            Some(part) => *byte = part,
            None => return ADDRESS,
        }
    }
    if parts.next().is_none() { address } else { ADDRESS }
}

impl Life {
    /// A frame that cannot go now is lost, as frames may be.
    fn send(&self, net: &Net, parts: &[&[u8]], offload: &Offload) {
        let _ = net.send(parts, offload, 0);
    }

    fn receive_arp(&self, net: &Net, frame: &[u8]) {
        if let Some(answer) = packet::answer_arp(frame, net.mac(), address()) {
            more(&self.arps);
            self.send(net, &[&answer], &Offload::default());
        }
    }

    fn receive_ip(&self, net: &Net, frame: &[u8], is_validated: bool) {
        let Some((mut headers, data)) = Headers::of(frame, address()) else { return };
        let mut offload = Offload::default();
        let is_answered = match headers.protocol() {
            packet::PROTOCOL_ICMP => headers.answer_ping(data),
            packet::PROTOCOL_UDP => {
                offload.checksum_blank = net.features().checksum;
                headers.answer_datagram(data, ECHO_PORT, is_validated, offload.checksum_blank)
            }
            _ => false,
        };
        if !is_answered {
            return more(&self.others);
        }
        if headers.protocol() == packet::PROTOCOL_ICMP {
            more(&self.pings);
        } else {
            more(&self.datagrams);
            self.is_told_to_end.set(self.is_told_to_end.get() || data.starts_with(b"end"));
        }
        self.send(net, &[headers.turned(net.mac()), data], &offload);
    }
}

impl Owner for Life {
    fn options(&self) -> Options {
        let mut options = Options::DEFAULT;
        let all = options.features;
        options.features = Features {
            sg: !life::has("no-sg"),
            checksum: !life::has("no-checksum"),
            gso4: !life::has("no-gso"),
            gso6: !life::has("no-gso"),
            split_events: !life::has("no-split"),
            queues: life::number("queues=", 1) as u32,
            ..all
        };
        options
    }

    fn ready(&self, net: &'static Net) {
        if self.net.get().is_none() {
            self.net.set(Some(net));
        }
    }

    fn gone(&self, net: &Net) {
        if self.net.get().is_some_and(|mine| core::ptr::eq(mine, net)) {
            self.net.set(None);
        }
    }

    fn receive(&self, net: &Net, frame: &[u8], offload: &Offload) {
        if frame.len() < packet::ARP_FRAME || !self.net.get().is_some_and(|mine| core::ptr::eq(mine, net)) {
            return;
        }
        match get16(frame, 12) {
            ETHERTYPE_ARP => self.receive_arp(net, frame),
            ETHERTYPE_IP => self.receive_ip(net, frame, offload.validated || offload.checksum_blank),
            _ => {}
        }
    }
}

fn work(net: &Net) {
    let features = net.features();
    let text = |has: bool, text: &'static str| if has { text } else { "" };
    println!(
        "{} queues{}{}{}{}",
        features.queues,
        text(features.sg, ", sg"),
        text(features.checksum, ", checksum"),
        text(features.gso4, ", gso4"),
        text(features.split_events, ", split events"),
    );
    life::until(|| LIFE.is_told_to_end.get(), life::number("seconds=", 30).saturating_mul(SECOND));
    let [arps, pings, datagrams, others] =
        [&LIFE.arps, &LIFE.pings, &LIFE.datagrams, &LIFE.others].map(Cell::get);
    println!("arp {arps}, ping {pings}, udp {datagrams}, other {others}");
    life::check("frames came", arps + pings + datagrams + others > 0);
}

/// Comes back when the time is over, or with an error if it cannot begin or a check failed.
pub fn run() -> Result<()> {
    life::start(&KINDS)?;
    life::check("an interface", life::until(|| LIFE.net.get().is_some(), 30 * SECOND));
    if let Some(net) = LIFE.net.get() {
        work(net);
    }
    life::end()
}
