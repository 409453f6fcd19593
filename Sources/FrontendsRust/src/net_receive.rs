//! Frames from the backend, slot by slot.

use crate::memory::Pages;
use crate::net::{Net, Offload, Options, Queue, FRAME_MAX, HEADER_MIN};
use crate::system::PAGE;
use xenabi::ring::Broken;
use xenabi::{
    netif_extra_info, netif_rx_request, netif_rx_response, NETRXF_csum_blank,
    NETRXF_data_validated, NETRXF_extra_info, NETRXF_more_data,
};

/// The frame that is being received.
pub(crate) struct Frame {
    /// None: the owner looks at the last one.
    bytes: Option<Pages>,
    length: usize,
    open: bool,
    /// Such slots follow.
    extra: bool,
    more: bool,
    bad: bool,
    offload: Offload,
}

impl Frame {
    pub fn new(bytes: Pages) -> Self {
        let offload = Offload::default();
        Frame { bytes: Some(bytes), length: 0, open: false, extra: false, more: false, bad: false, offload }
    }

    /// An extra in place of a response. What it may hold is checked against what we have offered.
    fn put_extra(&mut self, extra: &netif_extra_info, options: &Options) {
        self.extra = extra.flags & xenabi::XEN_NETIF_EXTRA_FLAG_MORE != 0;
        if extra.r#type != xenabi::XEN_NETIF_EXTRA_TYPE_GSO {
            self.bad |= extra.r#type != xenabi::XEN_NETIF_EXTRA_TYPE_HASH;
            return;
        }
        // SAFETY: any bytes are one.
        let gso = unsafe { extra.u.gso };
        let is_known = match gso.r#type {
            xenabi::XEN_NETIF_GSO_TYPE_TCPV4 => options.features.gso4,
            xenabi::XEN_NETIF_GSO_TYPE_TCPV6 => options.features.gso6,
            _ => false,
        };
        self.bad |= !is_known || gso.size == 0;
        self.offload.gso_type = gso.r#type;
        self.offload.gso_size = gso.size;
    }
}

impl Queue {
    /// Puts a buffer into the rx ring.
    pub fn put_rx(&mut self, index: u16) {
        let slot = self.rx.next_put();
        let mut request = netif_rx_request::zeroed();
        request.id = slot as u16;
        let page = self.rx_buffers[usize::from(index)].as_ref();
        request.gref = page.map_or(0, |page| page.reference().number());
        self.rx_slots[slot as usize] = index;
        self.rx.put(request);
    }

    /// A response; an error: the backend breaks the protocol.
    fn rx_response(
        &mut self, slot: u32, response: &netif_rx_response, options: &Options,
    ) -> core::result::Result<(), Broken> {
        let frame = &mut self.frame;
        if u32::from(response.id) != slot {
            return Err(Broken);
        }
        let has = |flag: u16| response.flags & flag != 0;
        frame.more = has(NETRXF_more_data);
        if !frame.open {
            frame.open = true;
            frame.bad = frame.bytes.is_none() || frame.more && !options.features.sg;
            frame.length = 0;
            frame.extra = has(NETRXF_extra_info);
            let (checksum_blank, validated) = (has(NETRXF_csum_blank), has(NETRXF_data_validated));
            let validated = validated || checksum_blank;
            frame.offload = Offload { checksum_blank, validated, ..Offload::default() };
        }
        let Ok(size) = usize::try_from(response.status) else {
            frame.bad = true; // its other slots are still taken, and thrown away
            return Ok(());
        };
        if usize::from(response.offset) + size > PAGE {
            return Err(Broken);
        }
        frame.bad |= frame.length + size > FRAME_MAX;
        let buffer = self.rx_buffers[usize::from(self.rx_slots[slot as usize])].as_ref();
        if let (false, Some(bytes), Some(buffer)) = (frame.bad, &mut frame.bytes, buffer) {
            buffer.read(response.offset.into(), &mut bytes.bytes()[frame.length..frame.length + size]);
            frame.length += size;
        }
        Ok(())
    }

    /// Takes one slot, and puts its buffer back into the ring. True: a frame is at its end.
    fn take_rx(&mut self, options: &Options) -> core::result::Result<Option<bool>, Broken> {
        let slot = self.rx.next_take();
        let Some(entry) = self.rx.take()? else { return Ok(None) };
        if self.frame.open && self.frame.extra {
            // SAFETY: any bytes are one.
            self.frame.put_extra(unsafe { &entry.extra }, options);
        } else {
            // SAFETY: as above.
            self.rx_response(slot, unsafe { &entry.plain }, options)?;
        }
        self.put_rx(self.rx_slots[slot as usize]);
        Ok(Some(!self.frame.extra && !self.frame.more))
    }
}

impl Net {
    /// Takes one slot of an rx ring; false: there is none.
    pub(crate) fn take_rx(&self, index: usize) -> core::result::Result<bool, Broken> {
        let mut own = self.own.borrow_mut();
        let Some(queue) = &mut own.queues[index] else { return Ok(false) };
        let Some(is_whole) = queue.take_rx(&self.options.get())? else { return Ok(false) };
        if !is_whole {
            return Ok(true);
        }
        let frame = &mut queue.frame;
        frame.open = false;
        if frame.bad || frame.length < HEADER_MIN {
            self.count(|counters| counters.receive_errors += 1);
            return Ok(true);
        }
        self.count(|counters| counters.received += 1);
        let (length, offload) = (frame.length, frame.offload);
        // The frame is the owner's for the call, in which it may send: nothing stays borrowed.
        let Some(mut bytes) = frame.bytes.take() else { return Ok(true) };
        drop(own);
        self.owner.receive(self, &bytes.bytes()[..length], &offload);
        if let Some(queue) = &mut self.own.borrow_mut().queues[index] {
            queue.frame.bytes = Some(bytes);
        }
        Ok(true)
    }
}
