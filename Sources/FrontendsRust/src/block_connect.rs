//! The block frontend and xenbus: what is offered, agreed on and written, and what happens to requests
//! under way when a connection ends.

use crate::block::{Block, Info, Options, Own, Owner, Queue, QUEUES_MAX, SECTOR};
use crate::block_piece::{Piece, PoolPage, SEGMENTS_PER_PAGE};
use crate::bus::{Device, Driver, Kind};
use crate::error::{Error, Result};
use crate::grants::Reference;
use crate::memory::{self, Array};
use crate::shared::{Ring, RING_ORDER_MAX};
use crate::store::{up_to_zero, Transaction};
use crate::text::{print_number, Path, Text};
use core::cell::{Cell, RefCell};
use core::ptr::NonNull;

const SLOTS_IN_PAGE: u32 = 32;

/// The kind `vbd`: disks, all of one owner.
pub struct Disks(
    /// Who is told of them.
    pub &'static dyn Owner,
);

impl Kind for Disks {
    fn name(&self) -> &'static str {
        "vbd"
    }

    fn create(&self, device: Device) -> Result<NonNull<dyn Driver>> {
        let (system, mut options) = (device.system(), self.0.options());
        options.queues = options.queues.clamp(1, QUEUES_MAX as u32);
        options.ring_order = options.ring_order.min(RING_ORDER_MAX);
        options.indirect_segments = options.indirect_segments.min(SEGMENTS_PER_PAGE);
        options.pool_pages = options.pool_pages.max(2);
        // Twice the slots: as many as can be under way, and as many to be tried again.
        let pieces = 2 * options.queues * (SLOTS_IN_PAGE << options.ring_order);
        let vacant = || PoolPage { next: None, page: None, reference: None };
        let mut own = Own {
            usable: false,
            dispatching: false,
            gone: false,
            queues: [const { None }; QUEUES_MAX],
            next_queue: 0,
            under_way: 0,
            serial: 0,
            progress: 0,
            first: None,
            last: None,
            barrier: None,
            pieces: Array::new(system, pieces as usize, || Piece::VACANT)?,
            retry: None,
            free_pieces: None,
            pages: Array::new(system, options.pool_pages as usize, vacant)?,
            pool: None,
            limbo: None,
        };
        (0..own.pieces.len()).for_each(|piece| own.put_piece(piece));
        (0..own.pages.len()).for_each(|page| own.put_page(page));
        let (options, info) = (Cell::new(options), Cell::new(Info::default()));
        let block = Block { device, owner: self.0, options, info, own: RefCell::new(own) };
        Ok(memory::place(system, block)?)
    }
}

impl Queue {
    fn new(block: &Block, order: u32) -> Result<Self> {
        let (bus, backend) = (block.device.bus, block.device.backend_id());
        let ring = Ring::new(bus.grants, backend, order)?;
        let slots = Array::new(bus.grants.system, ring.count() as usize, || None)?;
        // SAFETY: a disk stays in place until it is dropped, and its ports are closed before.
        let port = unsafe { bus.store.events.open(backend, NonNull::from(block))? };
        Ok(Queue { port, ring, slots, under_way: 0 })
    }
}

impl Own {
    /// Takes one piece out of its slot: the next connection issues it again. False: there is none.
    fn take_back(&mut self) -> Option<usize> {
        for queue in self.queues.iter_mut().flatten() {
            if let Some(slot) = queue.slots.iter_mut().find(|slot| slot.is_some()) {
                queue.under_way -= 1;
                self.under_way -= 1;
                return slot.take();
            }
        }
        None
    }

    /// The backend may write into a piece's pages until it has closed.
    fn pages_to_limbo(&mut self, piece: usize) {
        while let Some(page) = self.pieces[piece].pages {
            self.pieces[piece].pages = self.pages[page].next;
            self.pages[page].next = self.limbo.replace(page);
        }
    }

    /// Whether an answer is overdue.
    fn is_overdue(&self, now: u64, options: &Options) -> bool {
        let slots = self.queues.iter().flatten().flat_map(|queue| queue.slots.iter().flatten());
        slots.into_iter().any(|piece| now.saturating_sub(self.pieces[*piece].time) > options.request_timeout)
    }
}

impl Block {
    fn publish_queue(&self, transaction: Transaction, folder: &[u8], index: usize) -> Result<()> {
        let own = self.own.borrow();
        let queue = own.queues[index].as_ref().ok_or(Error::INVALID)?;
        let (port, store) = (queue.port.port(), self.device.bus.store);
        let mut references = [None; 1 << RING_ORDER_MAX];
        references.iter_mut().zip(queue.ring.references()).for_each(|(place, of)| *place = Some(of));
        drop(own);
        store.write_number(transaction, folder, "event-channel", port.number().into())?;
        for (page, reference) in references.into_iter().flatten().map(Reference::number).enumerate() {
            let number = print_number(page as u64);
            let number: &[u8] = if self.info.get().ring_order == 0 { b"" } else { &number };
            let path = Path::join(&[folder, b"/ring-ref", number])?;
            store.write(transaction, &path, &print_number(reference.into()))?;
        }
        Ok(())
    }

    /// Out of keys that the backend wrote; `INVALID` where they cannot be right.
    fn read_properties(&self) -> Result<()> {
        let device = &self.device;
        let (sectors, info) = (device.offer("sectors", 0), device.offer("info", 0));
        // Larger sectors come only to those who ask for them.
        let is_sane = sectors != 0 && sectors <= u64::MAX / SECTOR as u64;
        if !is_sane || device.offer("sector-size", SECTOR as u64) != SECTOR as u64 {
            return Err(Error::INVALID);
        }
        let mut mode = [0; 7];
        let path = Text::<170>::join(&[&device.backend(), b"/mode"])?;
        let length = device.bus.store.read(Transaction::NONE, &path, &mut mode).unwrap_or(0);
        let has = |bit: u32| info & u64::from(bit) != 0;
        self.change_info(|known| {
            known.sectors = sectors;
            known.read_only = has(xenabi::VDISK_READONLY) || up_to_zero(&mode[..length]) == b"r";
            known.removable = has(xenabi::VDISK_REMOVABLE);
            known.cdrom = has(xenabi::VDISK_CDROM);
        });
        Ok(())
    }
}

impl Driver for Block {
    fn device(&self) -> &Device {
        &self.device
    }

    fn setup(&self) -> Result<()> {
        let (device, options) = (&self.device, self.options.get());
        let pages = device.offer("max-ring-pages", 1);
        let mut order = device.offer("max-ring-page-order", 0);
        while order < RING_ORDER_MAX.into() && 2 << order <= pages {
            order += 1;
        }
        let ring_order = order.min(options.ring_order.into()) as u32;
        let queue_count = device.queues(options.queues);
        self.change_info(|info| {
            info.ring_order = ring_order;
            info.queue_count = queue_count;
        });
        let mut own = self.own.borrow_mut();
        for place in &mut own.queues[..queue_count as usize] {
            *place = Some(Queue::new(self, ring_order)?);
        }
        own.refill(device.bus.grants);
        own.progress = device.system().time();
        Ok(())
    }

    fn publish(&self, transaction: Transaction) -> Result<()> {
        let (device, order) = (&self.device, self.info.get().ring_order);
        let store = device.bus.store;
        let persistent = self.options.get().persistent.into();
        store.write_number(transaction, &device.path, "feature-persistent", persistent)?;
        for (key, value) in [("ring-page-order", order.into()), ("num-ring-pages", 1u64 << order)] {
            match order {
                0 => device.unpublish(transaction, key)?,
                _ => store.write_number(transaction, &device.path, key, value)?,
            }
        }
        let protocol = Path::join(&[&device.path, b"/protocol"])?;
        store.write(transaction, &protocol, xenabi::XEN_IO_PROTO_ABI_NATIVE.as_bytes())?;
        let count = self.info.get().queue_count;
        device.publish_queues(transaction, count, |folder, index| self.publish_queue(transaction, folder, index))
    }

    fn connected(&self) -> Result<()> {
        let (device, options) = (&self.device, self.options.get());
        let limited = |key: &str, otherwise: u64, most: u32| device.offer(key, otherwise).min(most.into()) as u32;
        self.read_properties()?;
        let mut info = self.info.get();
        info.flush = device.agrees(options.flush, "feature-flush-cache");
        info.barrier = device.agrees(options.barrier, "feature-barrier");
        info.discard = device.agrees(options.discard, "feature-discard");
        info.discard_secure = device.agrees(info.discard, "discard-secure");
        info.persistent = device.agrees(options.persistent, "feature-persistent");
        info.discard_granularity = limited("discard-granularity", SECTOR as u64, u32::MAX);
        info.discard_alignment = limited("discard-alignment", 0, u32::MAX);
        info.segments_max = limited("feature-max-indirect-segments", 0, options.indirect_segments)
            .max(xenabi::BLKIF_MAX_SEGMENTS_PER_REQUEST);
        self.info.set(info);
        let mut own = self.own.borrow_mut();
        own.progress = device.system().time();
        own.usable = true;
        drop(own);
        self.dispatch();
        // SAFETY: a disk stays in place until its owner has been told that it is gone.
        self.owner.ready(unsafe { NonNull::from(self).as_ref() });
        Ok(())
    }

    /// The disk's size may have changed.
    fn changed(&self) {
        if self.read_properties().is_err() {
            self.device.fault("block: properties became impossible");
        }
    }

    fn stop(&self) {
        let mut own = self.own.borrow_mut();
        own.usable = false;
        own.progress = self.device.system().time();
        while let Some(piece) = own.take_back() {
            own.pages_to_limbo(piece);
            if self.device.is_faulty().is_some() {
                own.pieces[piece].tries += 1;
                if own.pieces[piece].tries >= self.options.get().tries {
                    let finished = own.end_piece(self, piece, Err(Error::IO));
                    drop(own);
                    self.finish(finished);
                    own = self.own.borrow_mut();
                    continue;
                }
            }
            own.put_retry(piece);
        }
    }

    fn teardown(&self) {
        let mut own = self.own.borrow_mut();
        own.queues = [const { None }; QUEUES_MAX];
        self.change_info(|info| info.queue_count = 0);
        for mut next in [own.pool.take(), own.limbo.take()] {
            while let Some(page) = next {
                next = own.pages[page].next;
                own.release_page(self.device.bus.grants, page);
                if let Some(page) = &mut own.pages[page].page {
                    page.bytes().fill(0); // the next backend may be another, who shall not see what this one did
                }
            }
        }
    }

    fn removed(&self) {
        self.own.borrow_mut().gone = true;
        self.fail_all(Error::NO_DEVICE);
        if self.device.connections() != 0 {
            self.owner.gone(self);
        }
    }

    fn poll(&self) {
        let (device, options) = (&self.device, self.options.get());
        self.own.borrow_mut().refill(device.bus.grants);
        for index in 0..self.info.get().queue_count as usize {
            self.run_queue(index); // in case an event got lost
        }
        let mut own = self.own.borrow_mut();
        let now = device.system().time(); // only now: nothing that was just issued is of later
        if own.usable && own.is_overdue(now, &options) {
            device.fault("block: a response is overdue");
        }
        own.usable &= device.is_faulty().is_none();
        let limit = if own.usable { options.request_timeout } else { options.reconnect_timeout };
        let waits = own.first.is_some() || own.retry.is_some();
        if waits && own.under_way == 0 && now.saturating_sub(own.progress) > limit {
            drop(own);
            self.fail_all(Error::IO);
        }
    }
}

