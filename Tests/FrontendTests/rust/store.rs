//! xg_store.h

use crate::layout::{bytes, Key, Watch};
use crate::{number, status, STORE};
use core::ffi::{c_char, c_int};
use core::ptr::NonNull;
use xenfront::error::{Error, Result};
use xenfront::memory;
use xenfront::store::{Transaction, Watcher};
use xenfront::text::Path;

/// A watch of C's, with the one that stands for it.
struct CWatch {
    watch: xenfront::store::Watch,
    c: *mut Watch,
}

impl Watcher for CWatch {
    fn changed(&self) {
        // SAFETY: C keeps its watch in place until it is ended.
        unsafe {
            if let Some(changed) = (*self.c).changed {
                changed((*self.c).context);
            }
        }
    }
}

/// Gives a text to C, with a zero at its end.
///
/// # Safety
/// The buffer has so many bytes.
unsafe fn give(
    buffer: *mut u8, size: usize, read: impl FnOnce(&mut [u8]) -> Result<usize>,
) -> c_int {
    if size == 0 {
        return -Error::TOO_BIG.number();
    }
    // SAFETY: the caller's promise.
    let buffer = unsafe { core::slice::from_raw_parts_mut(buffer, size) };
    let result = read(&mut buffer[..size - 1]);
    if let Ok(length) = result {
        buffer[length] = 0;
    }
    number(result)
}

#[no_mangle]
extern "C" fn xg_store_start() -> c_int {
    status(STORE.start())
}

#[no_mangle]
extern "C" fn xg_store_resume() -> c_int {
    status(STORE.resume())
}

#[no_mangle]
extern "C" fn xg_store_stop() {
    STORE.stop();
}

#[no_mangle]
unsafe extern "C" fn xg_store_read(
    transaction: u32, path: *const c_char, buffer: *mut u8, size: usize,
) -> c_int {
    // SAFETY: the caller's texts, and his buffer.
    unsafe { give(buffer, size, |buffer| STORE.read(Transaction(transaction), bytes(path), buffer)) }
}

#[no_mangle]
unsafe extern "C" fn xg_store_write(transaction: u32, path: *const c_char, value: *const c_char) -> c_int {
    // SAFETY: the caller's texts.
    status(unsafe { STORE.write(Transaction(transaction), bytes(path), bytes(value)) })
}

#[no_mangle]
unsafe extern "C" fn xg_store_mkdir(transaction: u32, path: *const c_char) -> c_int {
    // SAFETY: the caller's text.
    status(unsafe { STORE.mkdir(Transaction(transaction), bytes(path)) })
}

#[no_mangle]
unsafe extern "C" fn xg_store_remove(transaction: u32, path: *const c_char) -> c_int {
    // SAFETY: the caller's text.
    status(unsafe { STORE.remove(Transaction(transaction), bytes(path)) })
}

#[no_mangle]
unsafe extern "C" fn xg_store_list(
    transaction: u32, path: *const c_char, buffer: *mut u8, size: usize,
) -> c_int {
    // SAFETY: the caller's text, and his buffer.
    unsafe { give(buffer, size, |buffer| STORE.list(Transaction(transaction), bytes(path), buffer)) }
}

#[no_mangle]
unsafe extern "C" fn xg_store_get_permissions(
    transaction: u32, path: *const c_char, buffer: *mut u8, size: usize,
) -> c_int {
    // SAFETY: the caller's text, and his buffer.
    unsafe { give(buffer, size, |buffer| STORE.permissions(Transaction(transaction), bytes(path), buffer)) }
}

#[no_mangle]
unsafe extern "C" fn xg_store_set_permissions(
    transaction: u32, path: *const c_char, permissions: *const u8, size: usize,
) -> c_int {
    // SAFETY: the caller's text, and so many bytes.
    let (path, permissions) = unsafe { (bytes(path), core::slice::from_raw_parts(permissions, size)) };
    status(STORE.set_permissions(Transaction(transaction), path, permissions))
}

#[no_mangle]
unsafe extern "C" fn xg_store_begin(transaction: *mut u32) -> c_int {
    let begun = STORE.begin_transaction();
    if let Ok(begun) = begun {
        // SAFETY: the caller's to be filled.
        unsafe { *transaction = begun.0 };
    }
    status(begun.map(|_| ()))
}

#[no_mangle]
extern "C" fn xg_store_commit(transaction: u32) -> c_int {
    status(STORE.commit(Transaction(transaction)))
}

#[no_mangle]
extern "C" fn xg_store_abort(transaction: u32) -> c_int {
    status(STORE.abort(Transaction(transaction)))
}

/// Keys of C's are ASCII.
///
/// # Safety
/// It is one.
unsafe fn key<'a>(key: *const c_char) -> &'a str {
    // SAFETY: the caller's promise.
    core::str::from_utf8(unsafe { bytes(key) }).unwrap_or("")
}

#[no_mangle]
unsafe extern "C" fn xg_store_number(
    directory: *const c_char, name: *const c_char, otherwise: u64,
) -> u64 {
    // SAFETY: the caller's texts.
    unsafe { STORE.number(bytes(directory), key(name), otherwise) }
}

#[no_mangle]
unsafe extern "C" fn xg_store_write_number(
    transaction: u32, directory: *const c_char, name: *const c_char, value: u64,
) -> c_int {
    // SAFETY: the caller's texts.
    status(unsafe { STORE.write_number(Transaction(transaction), bytes(directory), key(name), value) })
}

#[no_mangle]
unsafe extern "C" fn xg_store_write_keys(
    transaction: u32, directory: *const c_char, keys: *const Key, count: usize,
) -> c_int {
    // SAFETY: so many keys are there, and their texts.
    let keys = unsafe { core::slice::from_raw_parts(keys, count) };
    for each in keys {
        // SAFETY: as above.
        let error = unsafe { xg_store_write_number(transaction, directory, each.key, each.value) };
        if error != 0 {
            return error;
        }
    }
    0
}

#[no_mangle]
unsafe extern "C" fn xg_store_watch(c: *mut Watch) -> c_int {
    let new = CWatch { watch: xenfront::store::Watch::new(), c };
    let Ok(place) = memory::place(EVENTS_SYSTEM, new) else { return -Error::NO_MEMORY.number() };
    // SAFETY: C's watch has a path, and stays in place until it is ended, as this one does.
    let result = unsafe {
        (*c).next = place.as_ptr().cast();
        (*c).token = 1;
        Path::join(&[bytes((*c).path.as_ptr())]).and_then(|path| {
            let watcher: NonNull<dyn Watcher> = place;
            STORE.watch(&place.as_ref().watch, path, watcher)
        })
    };
    if result.is_err() {
        // SAFETY: it was placed just now, and is not set.
        unsafe { forget(c) };
    }
    status(result)
}

const EVENTS_SYSTEM: &dyn xenfront::system::System = &crate::os::CSystem;

unsafe fn place_of(c: *mut Watch) -> Option<NonNull<CWatch>> {
    // SAFETY: the pointer is of xg_store_watch if there is a token.
    unsafe { if (*c).token == 0 { None } else { NonNull::new((*c).next.cast()) } }
}

unsafe fn forget(c: *mut Watch) {
    // SAFETY: xg_store_watch placed it.
    unsafe {
        if let Some(place) = place_of(c) {
            memory::remove(EVENTS_SYSTEM, place);
        }
        (*c).token = 0;
    }
}

#[no_mangle]
unsafe extern "C" fn xg_store_unwatch(c: *mut Watch) {
    // SAFETY: xg_store_watch placed it.
    unsafe {
        if let Some(place) = place_of(c) {
            STORE.unwatch(&place.as_ref().watch);
            forget(c);
        }
    }
}

#[no_mangle]
extern "C" fn xg_store_run_watches() {
    STORE.run_watches();
}

#[no_mangle]
unsafe extern "C" fn xg_store_fire(c: *mut Watch) {
    // SAFETY: xg_store_watch placed it.
    if let Some(place) = unsafe { place_of(c) } {
        // SAFETY: as above.
        STORE.fire(unsafe { &place.as_ref().watch });
    }
}
