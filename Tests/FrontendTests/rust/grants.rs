//! xg_grant.h

use crate::{status, GRANTS};
use core::ffi::c_int;
use core::ptr::NonNull;
use xenfront::grants::{Access, Reference};
use xenfront::system::Domain;

#[no_mangle]
extern "C" fn xg_grants_start(frames: u32) -> c_int {
    status(GRANTS.start(frames as usize))
}

#[no_mangle]
extern "C" fn xg_grants_resume() -> c_int {
    status(GRANTS.resume())
}

#[no_mangle]
extern "C" fn xg_grant(domain: u16, page: *mut u8, read_only: bool) -> u32 {
    let access = if read_only { Access::Read } else { Access::Write };
    let granted = NonNull::new(page).and_then(|page| GRANTS.grant(Domain(domain), page, access).ok());
    granted.map_or(0, Reference::number)
}

#[no_mangle]
extern "C" fn xg_grant_end(reference: u32, page: *mut u8) -> bool {
    Reference::new(reference).is_none_or(|reference| GRANTS.end(reference, NonNull::new(page)))
}

#[no_mangle]
extern "C" fn xg_grant_end_free(reference: u32, page: *mut u8) {
    match (Reference::new(reference), NonNull::new(page)) {
        (Some(reference), page) => GRANTS.end_free(reference, page),
        // SAFETY: the caller uses it no more, and nobody has a grant.
        (None, Some(page)) => unsafe { GRANTS.system.free_pages(page, 1) },
        (None, None) => {}
    }
}

#[no_mangle]
extern "C" fn xg_grants_retry() {
    GRANTS.retry();
}

#[no_mangle]
extern "C" fn xg_grants_used() -> u32 {
    GRANTS.used()
}

#[no_mangle]
extern "C" fn xg_grants_deferred() -> u32 {
    GRANTS.deferred()
}
