//! Frames to the backend, and what is told it about multicasts.

use crate::error::{Error, Result};
use crate::net::{Features, Mac, Net, Offload, Own, Queue, Slot, Use, FRAME_MAX, FRAME_PAGES, HEADER_MIN};
use crate::system::{System, PAGE};
use xenabi::ring::Broken;
use xenabi::{
    netif_extra_info, netif_extra_info_u, netif_tx_request, netif_tx_response, NETTXF_csum_blank,
    NETTXF_data_validated, NETTXF_extra_info, NETTXF_more_data,
};

impl Offload {
    fn is_allowed(&self, features: &Features) -> bool {
        let can_cut = self.checksum_blank && self.gso_size != 0;
        match self.gso_type {
            xenabi::XEN_NETIF_GSO_TYPE_NONE => {
                !self.checksum_blank || features.checksum || features.checksum6
            }
            xenabi::XEN_NETIF_GSO_TYPE_TCPV4 => features.gso4 && can_cut,
            xenabi::XEN_NETIF_GSO_TYPE_TCPV6 => features.gso6 && can_cut,
            _ => false,
        }
    }
}

impl Queue {
    fn has_room(&self, buffers: usize, slots: usize) -> bool {
        self.free_count >= buffers && self.tx.free() as usize >= slots
    }

    /// A buffer, of which there is one.
    fn take_buffer(&mut self, state: Use) -> u16 {
        self.free_count -= 1;
        let id = self.free[self.free_count];
        self.tx_buffers[usize::from(id)].1 = state;
        id
    }

    fn put_tx(&mut self, id: u16, flags: u16, size: usize) {
        let mut request = netif_tx_request::zeroed();
        request.gref = self.tx_buffers[usize::from(id)].0.as_ref().map_or(0, |page| page.reference().number());
        request.flags = flags;
        request.id = id;
        request.size = size as u16;
        self.tx.put(Slot { plain: request });
    }

    fn put_extra(&mut self, r#type: u8, u: netif_extra_info_u) {
        let extra = netif_extra_info { r#type, flags: 0, u };
        self.tx.put(Slot { extra });
        self.extras += 1;
    }

    /// The time counts from the first frame that waits for its answer.
    fn push_tx(&mut self, system: &dyn System) {
        if !self.tx.waits() {
            self.progress = system.time();
        }
        self.tx.push(&self.port);
    }

    /// Copies parts into buffers in a row.
    fn fill(&mut self, parts: &[&[u8]], ids: &[u16]) {
        let mut at = 0;
        for part in parts {
            let mut part = *part;
            while !part.is_empty() {
                let (chunk, rest) = part.split_at(part.len().min(PAGE - at % PAGE));
                if let Some(page) = &mut self.tx_buffers[usize::from(ids[at / PAGE])].0 {
                    page.write(at % PAGE, chunk);
                }
                at += chunk.len();
                part = rest;
            }
        }
    }

    fn send(&mut self, parts: &[&[u8]], length: usize, offload: &Offload) {
        let mut ids = [0; FRAME_PAGES];
        let ids = &mut ids[..length.div_ceil(PAGE)];
        for (index, id) in ids.iter_mut().enumerate() {
            *id = self.take_buffer(if index == 0 { Use::Frame } else { Use::Piece });
        }
        self.fill(parts, ids);
        for (index, id) in ids.iter().enumerate() {
            let more = if index + 1 < ids.len() { NETTXF_more_data } else { 0 };
            if index != 0 {
                self.put_tx(*id, more, (length - index * PAGE).min(PAGE));
                continue;
            }
            let blank = if offload.checksum_blank { NETTXF_csum_blank | NETTXF_data_validated } else { 0 };
            let cut = if offload.gso_type != 0 { NETTXF_extra_info } else { 0 };
            self.put_tx(*id, more | blank | cut, length);
            if cut != 0 {
                let mut gso = xenabi::netif_extra_info_u_gso::zeroed();
                (gso.size, gso.r#type) = (offload.gso_size, offload.gso_type);
                self.put_extra(xenabi::XEN_NETIF_EXTRA_TYPE_GSO, netif_extra_info_u { gso });
            }
        }
    }

    /// One response; an error: it answers nothing that was sent.
    fn response(&mut self, net: &Net, response: &netif_tx_response) -> core::result::Result<(), Broken> {
        self.progress = net.device.system().time();
        if response.status == xenabi::NETIF_RSP_NULL {
            self.extras = self.extras.checked_sub(1).ok_or(Broken)?;
            return Ok(());
        }
        let (_, state) = self.tx_buffers.get_mut(usize::from(response.id)).ok_or(Broken)?;
        match core::mem::replace(state, Use::Free) {
            Use::Free => return Err(Broken),
            Use::Piece => {}
            Use::Frame => net.count(|counters| match response.status {
                xenabi::NETIF_RSP_OKAY => counters.sent += 1,
                _ => counters.send_errors += 1,
            }),
        }
        self.free[self.free_count] = response.id;
        self.free_count += 1;
        Ok(())
    }
}

impl Own {
    /// Nothing where there is no filter: it is told at the next connection.
    pub fn tell_multicast(&mut self, net: &Net, addr: Mac, add: bool) -> Result<()> {
        let Some(queue) = self.queues[0].as_mut().filter(|_| self.usable && net.features().multicast) else {
            return Ok(());
        };
        if !queue.has_room(1, 2) {
            return Err(Error::AGAIN);
        }
        let mcast = xenabi::netif_extra_info_u_mcast { addr };
        let (add_type, end_type) = (xenabi::XEN_NETIF_EXTRA_TYPE_MCAST_ADD, xenabi::XEN_NETIF_EXTRA_TYPE_MCAST_DEL);
        let id = queue.take_buffer(Use::Piece);
        queue.put_tx(id, NETTXF_extra_info, 0);
        queue.put_extra(if add { add_type } else { end_type }, netif_extra_info_u { mcast });
        queue.push_tx(net.device.system());
        Ok(())
    }
}

impl Net {
    /// Sends a frame made of parts; equal flows stay in order. `AGAIN`: no room now. Any context.
    pub fn send(&self, parts: &[&[u8]], offload: &Offload, flow: u32) -> Result<()> {
        let (features, options) = (self.features(), self.options.get());
        let length = parts.iter().try_fold(0usize, |sum, part| sum.checked_add(part.len()));
        let length = length.filter(|length| *length <= FRAME_MAX).ok_or(Error::FRAME_SIZE)?;
        let mut own = self.own.borrow_mut();
        if !own.usable {
            return Err(Error::NOT_CONNECTED);
        }
        if length < HEADER_MIN || !offload.is_allowed(&features) {
            return Err(Error::INVALID);
        }
        let pages = length.div_ceil(PAGE);
        if pages > 1 && !features.sg || pages > options.tx_buffers as usize {
            return Err(Error::FRAME_SIZE);
        }
        let Own { queues, full, .. } = &mut *own;
        let queue = queues[flow as usize % features.queues as usize].as_mut().ok_or(Error::NOT_CONNECTED)?;
        if !queue.has_room(pages, pages + usize::from(offload.gso_type != 0)) {
            *full = true;
            return Err(Error::AGAIN);
        }
        queue.send(parts, length, offload);
        queue.push_tx(self.device.system());
        Ok(())
    }

    /// Adds or takes away an address that the backend's filter lets through, up to 64. Without a filter
    /// all multicasts come. Any context.
    pub fn multicast(&self, address: Mac, add: bool) -> Result<()> {
        let mut own = self.own.borrow_mut();
        let known = own.multicasts.iter().position(|known| *known == Some(address));
        let place = match (known, add) {
            (Some(_), true) | (None, false) => return Ok(()),
            (Some(place), false) => place,
            (None, true) => own.multicasts.iter().position(Option::is_none).ok_or(Error::NO_SPACE)?,
        };
        own.tell_multicast(self, address, add)?;
        own.multicasts[place] = add.then_some(address);
        Ok(())
    }

    /// Takes one slot of a tx ring; false: there is none.
    pub(crate) fn take_tx(&self, index: usize) -> core::result::Result<bool, Broken> {
        let mut own = self.own.borrow_mut();
        let Some(queue) = &mut own.queues[index] else { return Ok(false) };
        match queue.tx.take()? {
            Some(answer) => queue.response(self, &answer).map(|()| true),
            None => Ok(false),
        }
    }
}
