//! Granted memory as rings and pages. Dropped, it comes back now, or when the backend lets go.

use crate::error::{Error, Result};
use crate::events::OwnPort;
use crate::grants::{Access, Grants, Reference};
use crate::memory::Pages;
use crate::system::{Domain, PAGE};
use core::ptr::NonNull;
use core::sync::atomic::{compiler_fence, Ordering};
use xenabi::ring::{Broken, FrontRing, Plain};

/// The largest binary logarithm of a ring's pages.
pub const RING_ORDER_MAX: u32 = 4;

/// A page that a backend may reach.
pub struct SharedPage {
    grants: &'static Grants,
    page: NonNull<u8>,
    reference: Reference,
}

impl SharedPage {
    /// Zeroed and granted. Driver context, as the drop.
    pub fn new(grants: &'static Grants, backend: Domain, access: Access) -> Result<Self> {
        let pages = Pages::new(grants.system, 1)?;
        Self::of(grants, pages.page(0), backend, access).inspect(|_| core::mem::forget(pages))
    }

    fn of(
        grants: &'static Grants, page: NonNull<u8>, backend: Domain, access: Access,
    ) -> Result<Self> {
        let reference = grants.grant(backend, page, access)?;
        Ok(SharedPage { grants, page, reference })
    }

    /// What the backend knows it by.
    pub fn reference(&self) -> Reference {
        self.reference
    }

    /// Copies out of it.
    pub fn read(&self, offset: usize, data: &mut [u8]) {
        read(self.page, offset, data);
    }

    /// Copies into it.
    pub fn write(&mut self, offset: usize, data: &[u8]) {
        write(self.page, offset, data);
    }
}

impl Drop for SharedPage {
    fn drop(&mut self) {
        self.grants.end_free(self.reference, Some(self.page));
    }
}

/// Copies out of a page, once: what is looked at later is the copy.
pub fn read(page: NonNull<u8>, offset: usize, data: &mut [u8]) {
    assert!(offset <= PAGE && data.len() <= PAGE - offset);
    // SAFETY: the range is within the page. A backend may write meanwhile: then the copy is of any bytes.
    unsafe { core::ptr::copy_nonoverlapping(page.add(offset).as_ptr(), data.as_mut_ptr(), data.len()) };
    compiler_fence(Ordering::SeqCst);
}

/// Copies into a page.
pub fn write(page: NonNull<u8>, offset: usize, data: &[u8]) {
    assert!(offset <= PAGE && data.len() <= PAGE - offset);
    // SAFETY: the range is within the page, which no Rust reference leads to.
    unsafe { core::ptr::copy_nonoverlapping(data.as_ptr(), page.add(offset).as_ptr(), data.len()) };
}

/// A ring of 2^order pages, granted.
pub struct Ring<Request: Plain, Response: Plain> {
    ring: FrontRing<Request, Response>,
    pages: [Option<SharedPage>; 1 << RING_ORDER_MAX],
    count: u32,
    produced: u32,
    published: u32,
    consumed: u32,
}

impl<Request: Plain, Response: Plain> Ring<Request, Response> {
    /// Driver context, as the drop.
    pub fn new(grants: &'static Grants, backend: Domain, order: u32) -> Result<Self> {
        let bytes = PAGE << order;
        let start = Pages::new(grants.system, 1 << order)?;
        // SAFETY: the pages are there as long as the ring is, and aligned.
        let ring = unsafe { FrontRing::init(start.page(0).as_ptr(), bytes) }.ok_or(Error::INVALID)?;
        let entry = size_of::<Request>().max(size_of::<Response>());
        let start = start.into_raw();
        let mut pages = [const { None }; 1 << RING_ORDER_MAX];
        for (index, place) in pages.iter_mut().enumerate().take(1 << order) {
            // SAFETY: one of the pages that are ours.
            let page = unsafe { start.add(index * PAGE) };
            match SharedPage::of(grants, page, backend, Access::Write) {
                Ok(shared) => *place = Some(shared),
                Err(error) => {
                    // SAFETY: those that were granted go with `pages`; these have no owner.
                    unsafe { grants.system.free_pages(page, (1 << order) - index) };
                    return Err(error);
                }
            }
        }
        let count = xenabi::ring::count(bytes, entry);
        Ok(Ring { ring, pages, count, produced: 0, published: 0, consumed: 0 })
    }

    /// What the backend knows its pages by.
    pub fn references(&self) -> impl Iterator<Item = Reference> + '_ {
        self.pages.iter().flatten().map(SharedPage::reference)
    }

    /// Slots.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Requests that can still be put.
    pub fn free(&self) -> u32 {
        self.ring.free()
    }

    /// Whether the backend owes an answer.
    pub fn waits(&self) -> bool {
        self.published != self.consumed
    }

    /// The slot that the next request goes to.
    pub fn next_put(&self) -> u32 {
        self.produced & (self.count - 1)
    }

    /// The slot that the next response comes in.
    pub fn next_take(&self) -> u32 {
        self.consumed & (self.count - 1)
    }

    /// Writes a request, for which there is room. Any context.
    pub fn put(&mut self, request: Request) {
        let has_room = self.ring.put(request);
        debug_assert!(has_room);
        self.produced = self.produced.wrapping_add(1);
    }

    /// Copies out the next response; after `None` the backend will tell of the next. Any context.
    pub fn take(&mut self) -> core::result::Result<Option<Response>, Broken> {
        let mut taken = self.ring.take()?;
        if taken.is_none() && self.ring.wait() {
            taken = self.ring.take()?;
        }
        self.consumed = self.consumed.wrapping_add(taken.is_some().into());
        Ok(taken)
    }

    /// Publishes what was put, and tells the backend if it wants to know. Any context.
    pub fn push(&mut self, port: &OwnPort) {
        if self.published != self.produced {
            self.published = self.produced;
            if self.ring.push() {
                port.send();
            }
        }
    }
}
