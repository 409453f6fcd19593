//! Pages and pieces of the block frontend: how a part of a request becomes a ring request.
//!
//! ```text
//!     pool  --take-->  a piece's pages  --done-->  pool
//!                           |  a backend that keeps one: the place stays empty until it is refilled
//!                           '--stop-->  limbo  --teardown-->  pool
//! ```

use crate::block::{Block, Finished, Info, Operation, Own, Request, SECTOR};
use crate::error::Result;
use crate::grants::{Access, Grants, Reference};
use crate::memory::Pages;
use crate::shared;
use crate::system::PAGE;
use core::ptr::NonNull;
use xenabi::ring::Plain;
use xenabi::{
    blkif_request, blkif_request_discard, blkif_request_indirect, blkif_request_segment,
    BLKIF_MAX_SEGMENTS_PER_REQUEST, BLKIF_OP_DISCARD, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_INDIRECT,
    BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_WRITE_BARRIER,
};

const SECTORS_PER_PAGE: u64 = (PAGE / SECTOR) as u64;
pub(crate) const SEGMENTS_PER_PAGE: u32 = (PAGE / size_of::<blkif_request_segment>()) as u32;

/// A slot of the ring.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) union Entry {
    plain: blkif_request,
    indirect: blkif_request_indirect,
    discard: blkif_request_discard,
}

// SAFETY: numbers only.
unsafe impl Plain for Entry {}

/// A page for data; both parts may be missing.
pub(crate) struct PoolPage {
    pub next: Option<usize>,
    /// None: was lost to the backend.
    pub page: Option<Pages>,
    pub reference: Option<Reference>,
}

/// A part of a request that goes as one ring request.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub next: Option<usize>,
    pub request: Option<NonNull<Request>>,
    pub sector: u64,
    pub count: u64,
    pub data: *mut u8,
    /// What the request asks for, and the BLKIF_OP of the work.
    wanted: Operation,
    pub operation: u8,
    /// Wrapped in BLKIF_OP_INDIRECT.
    pub indirect: bool,
    pub tries: u32,
    pub id: u64,
    pub time: u64,
    /// Data, in order; then the page of segments.
    pub pages: Option<usize>,
}

pub(crate) fn has_data(operation: u8) -> bool {
    operation != BLKIF_OP_FLUSH_DISKCACHE && operation != BLKIF_OP_DISCARD
}

fn pages_of(count: u64) -> u64 {
    count.div_ceil(SECTORS_PER_PAGE)
}

impl Piece {
    pub const VACANT: Piece = Piece {
        next: None,
        request: None,
        sector: 0,
        count: 0,
        data: core::ptr::null_mut(),
        wanted: Operation::Read,
        operation: 0,
        indirect: false,
        tries: 0,
        id: 0,
        time: 0,
        pages: None,
    };

    /// What has not been issued of a request.
    pub fn of(place: NonNull<Request>, request: &Request, info: &Info) -> Self {
        let piece = Piece {
            request: Some(place),
            sector: request.sector.saturating_add(request.issued), // an end that cannot be is the backend's to judge
            count: request.count - request.issued,
            data: request.data.wrapping_add(request.issued as usize * SECTOR),
            wanted: request.operation,
            ..Piece::VACANT
        };
        Piece { operation: piece.operation_for(info), ..piece }
    }

    pub fn operation_for(&self, info: &Info) -> u8 {
        match self.wanted {
            Operation::Read => BLKIF_OP_READ,
            Operation::Write => BLKIF_OP_WRITE,
            Operation::WriteBarrier if info.barrier => BLKIF_OP_WRITE_BARRIER,
            Operation::WriteBarrier => BLKIF_OP_WRITE,
            Operation::Flush => BLKIF_OP_FLUSH_DISKCACHE,
            Operation::Discard | Operation::DiscardSecure => BLKIF_OP_DISCARD,
        }
    }

    pub fn is_secure(&self) -> bool {
        self.wanted == Operation::DiscardSecure
    }
}

/// The pool.
impl Own {
    pub fn put_page(&mut self, page: usize) {
        self.pages[page].next = self.pool.replace(page);
    }

    /// Ends a page's grant, and gives the page back to the pool unless the backend keeps it.
    pub fn release_page(&mut self, grants: &Grants, index: usize) {
        let place = &mut self.pages[index];
        if let Some(reference) = place.reference.take() {
            let page = place.page.as_ref().map(|page| page.page(0));
            if !grants.end(reference, page) {
                place.page.take().map(Pages::into_raw); // the queue of deferred grants has it
            }
        }
        self.put_page(index);
    }

    /// Fresh pages for those that were lost. Driver context.
    pub fn refill(&mut self, grants: &Grants) {
        let mut next = self.pool;
        while let Some(index) = next {
            let place = &mut self.pages[index];
            if place.page.is_none() {
                place.page = Pages::new(grants.system, 1).ok();
            }
            next = place.next;
        }
    }

    /// The page that was used last and is there, granted.
    fn take_page(&mut self, block: &Block, access: Access) -> Option<usize> {
        let (mut before, mut index) = (None, self.pool?);
        while self.pages[index].page.is_none() {
            before = Some(index);
            index = self.pages[index].next?;
        }
        let place = &mut self.pages[index];
        if let (None, Some(page)) = (place.reference, &place.page) {
            let access = if block.info.get().persistent { Access::Write } else { access };
            let grants = block.device.bus.grants;
            place.reference = Some(grants.grant(block.device.backend_id(), page.page(0), access).ok()?);
        }
        let next = place.next.take();
        match before {
            Some(before) => self.pages[before].next = next,
            None => self.pool = next,
        }
        Some(index)
    }

    pub fn pages_done(&mut self, block: &Block, piece: usize) {
        while let Some(page) = self.pieces[piece].pages {
            self.pieces[piece].pages = self.pages[page].next;
            if block.info.get().persistent {
                self.put_page(page);
            } else {
                self.release_page(block.device.bus.grants, page);
            }
        }
    }
}

/// Pieces.
impl Own {
    pub fn take_piece(&mut self) -> Option<usize> {
        let piece = self.free_pieces?;
        self.free_pieces = self.pieces[piece].next;
        Some(piece)
    }

    pub fn put_piece(&mut self, piece: usize) {
        self.pieces[piece] = Piece { next: self.free_pieces.replace(piece), ..Piece::VACANT };
    }

    /// Keeps the order in which pieces were issued first.
    pub fn put_retry(&mut self, piece: usize) {
        let serial = self.pieces[piece].id >> 32;
        let (mut before, mut next) = (None, self.retry);
        while let Some(index) = next.filter(|index| self.pieces[*index].id >> 32 < serial) {
            before = Some(index);
            next = self.pieces[index].next;
        }
        self.pieces[piece].next = next;
        match before {
            Some(before) => self.pieces[before].next = Some(piece),
            None => self.retry = Some(piece),
        }
    }

    pub fn end_piece(&mut self, block: &Block, index: usize, result: Result<()>) -> Finished {
        let piece = self.pieces[index];
        self.pages_done(block, index);
        self.put_piece(index);
        self.account(piece.request?, piece.count, result)
    }

    /// Goes through a piece's data, page by page: `copy` gets the page, the caller's bytes, their number.
    fn copy(&self, piece: usize, copy: impl Fn(NonNull<u8>, *mut u8, usize)) {
        let piece = &self.pieces[piece];
        let (mut data, mut left) = (piece.data, piece.count as usize * SECTOR);
        let mut next = piece.pages;
        while let Some(index) = next.filter(|_| left != 0) {
            let size = left.min(PAGE);
            if let Some(page) = &self.pages[index].page {
                copy(page.page(0), data, size);
            }
            data = data.wrapping_add(size);
            left -= size;
            next = self.pages[index].next;
        }
    }

    /// What was read becomes the caller's.
    pub fn copy_out(&self, piece: usize) {
        self.copy(piece, |page, data, size| {
            // SAFETY: the request's data is as long as it says, and ours until `done`.
            shared::read(page, 0, unsafe { core::slice::from_raw_parts_mut(data, size) });
        });
    }

    fn copy_in(&self, piece: usize) {
        self.copy(piece, |page, data, size| {
            // SAFETY: as above; only read.
            shared::write(page, 0, unsafe { core::slice::from_raw_parts(data, size) });
        });
    }

    /// Gets pages for as much of a piece as there are; false: for nothing of it.
    pub fn take_pages(&mut self, block: &Block, index: usize) -> bool {
        let Piece { operation, count, .. } = self.pieces[index];
        let access = if operation == BLKIF_OP_READ { Access::Write } else { Access::Read };
        let plain_most = u64::from(BLKIF_MAX_SEGMENTS_PER_REQUEST);
        let segments_most = u64::from(block.info.get().segments_max);
        let wanted = pages_of(count);
        // Barriers go plainly: an indirect request can only read and write.
        let may = segments_most > plain_most && wanted > plain_most && operation != BLKIF_OP_WRITE_BARRIER;
        let table = if may { self.take_page(block, Access::Read) } else { None };
        self.pieces[index].indirect = table.is_some();
        let wanted = wanted.min(if table.is_some() { segments_most } else { plain_most });
        let (mut segments, mut last) = (0, None);
        let mut append = |own: &mut Own, page: usize| match last.replace(page) {
            Some(before) => own.pages[before].next = Some(page),
            None => own.pieces[index].pages = Some(page),
        };
        while segments < wanted {
            let Some(page) = self.take_page(block, access) else { break };
            append(self, page);
            segments += 1;
        }
        if let Some(table) = table {
            append(self, table);
        }
        if segments == 0 && wanted != 0 {
            self.pages_done(block, index);
            return false;
        }
        self.pieces[index].count = count.min(segments * SECTORS_PER_PAGE);
        true
    }

    /// The segments of a piece, in order, and the page behind them.
    fn segments(&self, piece: &Piece, mut put: impl FnMut(usize, blkif_request_segment)) -> Option<usize> {
        let (mut left, mut next) = (piece.count, piece.pages);
        let mut index = 0;
        while let Some(page) = next.filter(|_| left != 0) {
            let sectors = left.min(SECTORS_PER_PAGE);
            let mut segment = blkif_request_segment::zeroed();
            segment.gref = self.pages[page].reference.map_or(0, Reference::number);
            segment.last_sect = (sectors - 1) as u8;
            put(index, segment);
            index += 1;
            left -= sectors;
            next = self.pages[page].next;
        }
        next
    }

    fn discard(piece: &Piece, handle: u16) -> Entry {
        let mut discard = blkif_request_discard::zeroed();
        discard.operation = BLKIF_OP_DISCARD;
        discard.flag = if piece.is_secure() { xenabi::BLKIF_DISCARD_SECURE } else { 0 };
        discard.handle = handle;
        discard.id = piece.id;
        discard.sector_number = piece.sector;
        discard.nr_sectors = piece.count;
        Entry { discard }
    }

    fn indirect(&self, piece: &Piece, handle: u16) -> Entry {
        let mut bytes = [0; PAGE];
        let table = self.segments(piece, |index, segment| {
            let place = &mut bytes[index * size_of::<blkif_request_segment>()..];
            place[..4].copy_from_slice(&segment.gref.to_ne_bytes());
            place[4..6].copy_from_slice(&[segment.first_sect, segment.last_sect]);
        });
        let mut indirect = blkif_request_indirect::zeroed();
        indirect.operation = BLKIF_OP_INDIRECT;
        indirect.indirect_op = piece.operation;
        indirect.nr_segments = pages_of(piece.count) as u16;
        indirect.id = piece.id;
        indirect.sector_number = piece.sector;
        indirect.handle = handle;
        if let Some(table) = table.map(|table| &self.pages[table]) {
            indirect.indirect_grefs[0] = table.reference.map_or(0, Reference::number);
            if let Some(page) = &table.page {
                shared::write(page.page(0), 0, &bytes);
            }
        }
        Entry { indirect }
    }

    fn plain(&self, piece: &Piece, handle: u16) -> Entry {
        let mut plain = blkif_request::zeroed();
        plain.operation = piece.operation;
        plain.handle = handle;
        plain.id = piece.id;
        if has_data(piece.operation) {
            plain.nr_segments = pages_of(piece.count) as u8;
            plain.sector_number = piece.sector;
            self.segments(piece, |index, segment| plain.seg[index] = segment);
        }
        Entry { plain }
    }

    /// Writes a piece into a queue that has room.
    pub fn issue(&mut self, block: &Block, queue: usize, index: usize) {
        let Some(slot) = self.queues[queue].as_ref().and_then(|queue| queue.slots.iter().position(Option::is_none))
        else {
            return;
        };
        self.serial += 1;
        self.progress = block.device.system().time();
        self.pieces[index].id = self.serial << 32 | slot as u64;
        self.pieces[index].time = self.progress;
        let piece = self.pieces[index];
        if has_data(piece.operation) && piece.operation != BLKIF_OP_READ {
            self.copy_in(index);
        }
        let handle = block.device.id as u16;
        let entry = match piece.operation {
            BLKIF_OP_DISCARD => Self::discard(&piece, handle),
            _ if piece.indirect => self.indirect(&piece, handle),
            _ => self.plain(&piece, handle),
        };
        if let Some(queue) = self.queues[queue].as_mut() {
            queue.slots[slot] = Some(index);
            queue.under_way += 1;
            self.under_way += 1;
            queue.ring.put(entry);
        }
    }
}
