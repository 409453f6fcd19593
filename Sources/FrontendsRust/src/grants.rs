//! Grants, version 1: pages of this domain that backends may reach, and their way back. Free references
//! form a list in a private array beside the table; nothing of the list is in the shared table, whose
//! entries Xen changes as backends map and unmap.
//!
//! A backend may keep a page mapped for ever. Then neither reference nor page is used again: they wait
//! in a queue, of which each retry looks at a few, so that no backend makes us spin.

use crate::error::{Error, Result};
use crate::memory::Array;
use crate::system::{Domain, System, PAGE};
use core::cell::{Cell, RefCell};
use core::num::NonZeroU32;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU16, Ordering};
use xenabi::grant_entry_v1;

const ENTRIES_PER_FRAME: usize = PAGE / size_of::<grant_entry_v1>();
/// Entries below belong to the toolstack.
const RESERVED: u32 = 8;
const FRAMES_MAX: usize = 64;
const RETRIES_PER_CALL: u32 = 64;
const EXCHANGES_PER_TRY: u32 = 8;

/// The number of a grant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference(NonZeroU32);

impl Reference {
    /// 0 is never one.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Reference(number)),
            None => None,
        }
    }

    /// The number, as backends know it.
    pub const fn number(self) -> u32 {
        self.0.get()
    }

    fn index(self) -> usize {
        self.number() as usize
    }
}

/// What a backend may do with a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Read alone.
    Read,
    /// Read and write.
    Write,
}

#[derive(Clone, Copy)]
struct Shadow {
    /// Of the free list, or of the queue of deferred ones.
    next: Option<Reference>,
    /// What goes with a deferred one.
    page: Option<NonNull<u8>>,
}

/// The domain's grant table.
pub struct Grants {
    /// Whose pages these are.
    pub system: &'static dyn System,
    table: Cell<Option<NonNull<grant_entry_v1>>>,
    frames: Cell<usize>,
    shadows: RefCell<Option<Array<Cell<Shadow>>>>,
    free: Cell<Option<Reference>>,
    deferred: Cell<Option<(Reference, Reference)>>,
    used: Cell<u32>,
    deferred_count: Cell<u32>,
}

// SAFETY: no two functions of the frontends run at the same time: whoever wrote `System` promised that.
unsafe impl Sync for Grants {}

impl Grants {
    /// Without a table yet.
    pub const fn new(system: &'static dyn System) -> Self {
        Grants {
            system,
            table: Cell::new(None),
            frames: Cell::new(0),
            shadows: RefCell::new(None),
            free: Cell::new(None),
            deferred: Cell::new(None),
            used: Cell::new(0),
            deferred_count: Cell::new(0),
        }
    }

    /// Sets up a table of so many frames of 512 entries, or fewer if Xen has fewer. Driver context.
    pub fn start(&self, frames: usize) -> Result<()> {
        let mut query = xenabi::gnttab_query_size::zeroed();
        query.dom = xenabi::DOMID_SELF as u16;
        // SAFETY: the argument is what the command expects.
        Error::check(unsafe {
            self.system.grant_op(xenabi::GNTTABOP_query_size, (&raw mut query).cast())
        })?;
        if query.status != xenabi::GNTST_okay {
            return Err(Error::IO);
        }
        let frames = frames.min(FRAMES_MAX).min(query.max_nr_frames as usize);
        let entries = frames * ENTRIES_PER_FRAME;
        if entries <= RESERVED as usize {
            return Err(Error::NO_SPACE);
        }
        let vacant = || Cell::new(Shadow { next: None, page: None });
        let shadows = Array::new(self.system, entries, vacant)?;
        self.frames.set(frames);
        self.map()?;
        for reference in RESERVED..entries as u32 - 1 {
            shadows[reference as usize].set(Shadow { next: Reference::new(reference + 1), page: None });
        }
        *self.shadows.borrow_mut() = Some(shadows);
        self.free.set(Reference::new(RESERVED));
        self.deferred.set(None);
        self.used.set(0);
        self.deferred_count.set(0);
        Ok(())
    }

    fn map(&self) -> Result<()> {
        let mut frames = [0; FRAMES_MAX];
        let mut version = xenabi::gnttab_set_version { version: 1 };
        let mut setup = xenabi::gnttab_setup_table::zeroed();
        setup.dom = xenabi::DOMID_SELF as u16;
        setup.nr_frames = self.frames.get() as u32;
        setup.frame_list = frames.as_mut_ptr();
        // A boot loader may have left another version; where Xen knows only one, that is it.
        // SAFETY: the arguments are what the commands expect, and the list has room.
        let result = unsafe {
            self.system.grant_op(xenabi::GNTTABOP_set_version, (&raw mut version).cast());
            self.system.grant_op(xenabi::GNTTABOP_setup_table, (&raw mut setup).cast())
        };
        Error::check(result)?;
        if setup.status != xenabi::GNTST_okay {
            return Err(Error::IO);
        }
        let table = self.system.map(&frames[..self.frames.get()]).ok_or(Error::NO_MEMORY)?;
        self.table.set(Some(table.cast()));
        Ok(())
    }

    /// After a resume: the table is empty, and every grant of before is void. Driver context.
    pub fn resume(&self) -> Result<()> {
        self.map()
    }

    fn shadow(&self, reference: Reference) -> Shadow {
        let shadows = self.shadows.borrow();
        shadows.as_ref().map_or(Shadow { next: None, page: None }, |all| all[reference.index()].get())
    }

    fn set_shadow(&self, reference: Reference, shadow: Shadow) {
        if let Some(all) = self.shadows.borrow().as_ref() {
            all[reference.index()].set(shadow);
        }
    }

    fn entry(&self, reference: Reference) -> Option<NonNull<grant_entry_v1>> {
        assert!(reference.index() < self.frames.get() * ENTRIES_PER_FRAME);
        // SAFETY: the table has so many entries, and stays mapped.
        self.table.get().map(|table| unsafe { table.add(reference.index()) })
    }

    fn flags(entry: NonNull<grant_entry_v1>) -> &'static AtomicU16 {
        // SAFETY: the entry is mapped and aligned, and both sides change its flags atomically.
        unsafe { AtomicU16::from_ptr(&raw mut (*entry.as_ptr()).flags) }
    }

    /// Grants a page to a domain. Any context.
    pub fn grant(&self, domain: Domain, page: NonNull<u8>, access: Access) -> Result<Reference> {
        let reference = self.free.get().ok_or(Error::NO_SPACE)?;
        let entry = self.entry(reference).ok_or(Error::NO_SPACE)?;
        let frame = u32::try_from(self.system.frame(page)).map_err(|_| Error::NO_SPACE)?;
        self.free.set(self.shadow(reference).next);
        self.set_shadow(reference, Shadow { next: None, page: None });
        self.used.set(self.used.get() + 1);
        let read_only = if access == Access::Read { xenabi::GTF_readonly } else { 0 };
        // SAFETY: the entry is not in use, so that nobody else reads or writes these two.
        unsafe {
            (&raw mut (*entry.as_ptr()).domid).write_volatile(domain.0);
            (&raw mut (*entry.as_ptr()).frame).write_volatile(frame);
        }
        // The entry is live with this store, so that the frame must be there before.
        Self::flags(entry).store(xenabi::GTF_permit_access | read_only, Ordering::Release);
        Ok(reference)
    }

    /// Takes the entry away unless it is in use. Xen sets the use bits while we look: exchange.
    fn take_away(&self, reference: Reference) -> bool {
        let Some(entry) = self.entry(reference) else { return true };
        let flags = Self::flags(entry);
        let mut seen = flags.load(Ordering::Acquire);
        // A backend that maps and unmaps all the time could keep an endless loop from its end.
        for _ in 0..EXCHANGES_PER_TRY {
            if seen & (xenabi::GTF_reading | xenabi::GTF_writing) != 0 {
                return false;
            }
            match flags.compare_exchange(seen, 0, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => {
                    self.set_shadow(reference, Shadow { next: self.free.get(), page: None });
                    self.free.set(Some(reference));
                    self.used.set(self.used.get() - 1);
                    return true;
                }
                Err(now) => seen = now,
            }
        }
        false
    }

    fn defer(&self, reference: Reference, page: Option<NonNull<u8>>) {
        self.set_shadow(reference, Shadow { next: None, page });
        let first = match self.deferred.get() {
            None => reference,
            Some((first, last)) => {
                let before = self.shadow(last);
                self.set_shadow(last, Shadow { next: Some(reference), ..before });
                first
            }
        };
        self.deferred.set(Some((first, reference)));
        self.deferred_count.set(self.deferred_count.get() + 1);
    }

    /// Ends a grant. True: the page is ours alone. False: the other domain has it mapped; the entry
    /// stays as it is, the page has been taken over, and both come back when it lets go, the page by
    /// `free_pages`. The caller forgets the page. Any context.
    pub fn end(&self, reference: Reference, page: Option<NonNull<u8>>) -> bool {
        let ended = self.take_away(reference);
        if !ended {
            self.defer(reference, page);
        }
        ended
    }

    /// The same where the page is not needed any more: it is freed now or later. Driver context.
    pub fn end_free(&self, reference: Reference, page: Option<NonNull<u8>>) {
        if let (true, Some(page)) = (self.end(reference, page), page) {
            // SAFETY: the grant is at its end, and the caller uses the page no more.
            unsafe { self.system.free_pages(page, 1) };
        }
    }

    /// Tries some of those again that were mapped. Driver context; `Bus::poll` calls it.
    pub fn retry(&self) {
        for _ in 0..self.deferred_count.get().min(RETRIES_PER_CALL) {
            let Some((first, last)) = self.deferred.get() else { return };
            let Shadow { next, page } = self.shadow(first);
            self.deferred.set(next.map(|next| (next, last)));
            self.deferred_count.set(self.deferred_count.get() - 1);
            self.end_free(first, page); // goes to the queue's end if it is still mapped
        }
    }

    /// Entries in use.
    pub fn used(&self) -> u32 {
        self.used.get()
    }

    /// Those of them that wait for the other domain to let go.
    pub fn deferred(&self) -> u32 {
        self.deferred_count.get()
    }
}
