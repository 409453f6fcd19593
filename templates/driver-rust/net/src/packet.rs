//! Packets: what is read out of them, and the answers to them.

/// The kinds of frame that are known here.
pub const ETHERTYPE_IP: u16 = 0x0800;
/// And that of addresses.
pub const ETHERTYPE_ARP: u16 = 0x0806;
/// Bytes of an ARP message with Ethernet's header.
pub const ARP_FRAME: usize = ETHERNET + 28;
/// Ping.
pub const PROTOCOL_ICMP: u8 = 1;
/// Datagrams.
pub const PROTOCOL_UDP: u8 = 17;

const ETHERNET: usize = 14;
const IP_LEAST: usize = 20;
const IP_MOST: usize = 60;
/// Of ICMP's echo, and of UDP.
const INNER: usize = 8;

/// A number in the network's order.
pub fn get16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn put16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

/// The Internet checksum (RFC 1071) before its complement; `sum` is what comes before the bytes.
fn sum(sum: u16, bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    let mut sum = bytes.chunks(2).fold(u32::from(sum), |sum, pair| sum + word(pair));
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// The answer to a question for our address.
pub fn answer_arp(frame: &[u8], mac: [u8; 6], address: [u8; 4]) -> Option<[u8; ARP_FRAME]> {
    let mut answer: [u8; ARP_FRAME] = frame.get(..ARP_FRAME)?.try_into().ok()?;
    let arp = &frame[ETHERNET..];
    if get16(arp, 6) != 1 || arp[24..28] != address {
        return None;
    }
    answer[..6].copy_from_slice(&frame[6..12]);
    answer[6..12].copy_from_slice(&mac);
    let turned = &mut answer[ETHERNET..];
    put16(turned, 6, 2);
    turned[18..28].copy_from_slice(&arp[8..18]); // the asker becomes the target
    turned[8..14].copy_from_slice(&mac);
    turned[14..18].copy_from_slice(&address);
    Some(answer)
}

/// The headers of a packet, which become those of the answer: Ethernet, IP, ICMP or UDP.
pub struct Headers {
    bytes: [u8; ETHERNET + IP_MOST + INNER],
    /// Of IP alone.
    length: usize,
}

impl Headers {
    /// Headers and data of a whole packet for us.
    pub fn of(frame: &[u8], address: [u8; 4]) -> Option<(Self, &[u8])> {
        let ip = frame.get(ETHERNET..).filter(|ip| ip.len() >= IP_LEAST)?;
        let (length, total) = (usize::from(ip[0] & 15) * 4, usize::from(get16(ip, 2)));
        let is_whole = ip[0] >> 4 == 4 && get16(ip, 6) & 0x3fff == 0 && total <= ip.len();
        if !is_whole || length < IP_LEAST || total < length + INNER || ip[16..20] != address {
            return None;
        }
        let end = ETHERNET + length + INNER;
        let mut bytes = [0; ETHERNET + IP_MOST + INNER];
        bytes[..end].copy_from_slice(&frame[..end]);
        Some((Headers { bytes, length }, &ip[length + INNER..total]))
    }

    fn ip(&mut self) -> &mut [u8] {
        &mut self.bytes[ETHERNET..ETHERNET + self.length]
    }

    fn inner(&mut self) -> &mut [u8] {
        &mut self.bytes[ETHERNET + self.length..ETHERNET + self.length + INNER]
    }

    /// What follows the IP header.
    pub fn protocol(&self) -> u8 {
        self.bytes[ETHERNET + 9]
    }

    /// Turns a ping into its answer; false: it is none.
    pub fn answer_ping(&mut self, data: &[u8]) -> bool {
        let icmp = self.inner();
        if icmp[0] != 8 || sum(sum(0, icmp), data) != 0xffff {
            return false;
        }
        icmp[0] = 0;
        put16(icmp, 2, 0);
        let checksum = !sum(sum(0, icmp), data);
        put16(icmp, 2, checksum);
        true
    }

    /// Turns a datagram to that port into its echo; false: it is none. `blank`: somebody else adds up
    /// what the pseudo-header's sum lacks.
    pub fn answer_datagram(&mut self, data: &[u8], port: u16, is_validated: bool, blank: bool) -> bool {
        let size = INNER + data.len();
        // Of IP's header UDP counts addresses, protocol, length. Addresses are swapped later: the same sum.
        let pseudo = sum(u16::from(PROTOCOL_UDP).wrapping_add(size as u16), &self.ip()[12..20]);
        let udp = self.inner();
        let is_good = is_validated || get16(udp, 6) == 0 || sum(sum(pseudo, udp), data) == 0xffff;
        if get16(udp, 2) != port || usize::from(get16(udp, 4)) != size || !is_good {
            return false;
        }
        let from = get16(udp, 0);
        put16(udp, 0, port);
        put16(udp, 2, from);
        put16(udp, 6, 0);
        let whole = !sum(sum(pseudo, udp), data);
        put16(udp, 6, if blank { pseudo } else if whole == 0 { 0xffff } else { whole });
        true
    }

    /// All of them, back to where they came from.
    pub fn turned(&mut self, mac: [u8; 6]) -> &[u8] {
        self.bytes.copy_within(6..12, 0);
        self.bytes[6..12].copy_from_slice(&mac);
        let ip = self.ip();
        let (from, to) = (get32(ip, 12), get32(ip, 16));
        ip[12..16].copy_from_slice(&to);
        ip[16..20].copy_from_slice(&from);
        put16(ip, 10, 0);
        let checksum = !sum(0, ip);
        put16(ip, 10, checksum);
        &self.bytes[..ETHERNET + self.length + INNER]
    }
}

fn get32(bytes: &[u8], at: usize) -> [u8; 4] {
    [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
}
